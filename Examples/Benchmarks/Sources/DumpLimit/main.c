// The kernel's own limit: asks for a dump of TCP sockets, receives the replies and parses nothing but their end.
//
//     DumpLimit STATES EXTENSIONS     both numbers as in struct inet_diag_req, hexadecimal
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static char buffer[32 * 1024] __attribute__((aligned(16)));

static int fail(const char *what) {
    fprintf(stderr, "DumpLimit: cannot %s: %s\n", what, strerror(errno));
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: DumpLimit STATES EXTENSIONS\n");
        return 64;
    }
    struct {
        struct nlmsghdr header;
        struct inet_diag_req body;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = TCPDIAG_GETSOCK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.idiag_family = AF_INET,
                 .idiag_states = strtoul(argv[1], NULL, 16),
                 .idiag_ext = strtoul(argv[2], NULL, 16)},
    };
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    if (fd < 0) return fail("open a netlink socket");
    if (send(fd, &request, sizeof request, 0) < 0) return fail("send the request");
    unsigned long long bytes = 0;
    for (;;) {
        ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        if (count < 0) return fail("receive");
        bytes += count;
        // The end comes in a datagram of its own, or is its last message.
        struct nlmsghdr *first = (struct nlmsghdr *)buffer;
        if (first->nlmsg_type == NLMSG_DONE || first->nlmsg_type == NLMSG_ERROR) break;
        struct nlmsghdr *last = (struct nlmsghdr *)(buffer + count - NLMSG_LENGTH(sizeof(int)));
        if (count >= NLMSG_LENGTH(sizeof(int)) && last->nlmsg_type == NLMSG_DONE && last->nlmsg_len == NLMSG_LENGTH(sizeof(int)))
            break;
    }
    printf("%llu\n", bytes);
    return 0;
}

// What Swift cannot import from libmnl and the kernel's headers, under the prefix cmnl_. No logic.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <mntent.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

/// `SIOCGIFNAME`: the name of an interface in the namespace of the socket `fd`; -1 and errno where there is none.
static inline int cmnl_interface_name(int fd, unsigned int index, char name[IF_NAMESIZE]) {
    struct ifreq request = {.ifr_ifindex = (int)index};
    if (ioctl(fd, SIOCGIFNAME, &request) < 0) return -1;
    memcpy(name, request.ifr_name, IF_NAMESIZE);
    return 0;
}

/// `SIOCGIFINDEX`: the index of an interface in the namespace of the socket `fd`; -1 and errno where there is none.
static inline int cmnl_interface_index(int fd, const char *name) {
    struct ifreq request = {0};
    if (strlen(name) >= IF_NAMESIZE) return -1;
    strcpy(request.ifr_name, name);
    return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

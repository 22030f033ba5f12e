#pragma once
// The kernel's headers, and the calls that Glibc's Swift module hides because it is built without _GNU_SOURCE.
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/landlock.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/veth.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int unshare(int flags);
int accept4(int socket, struct sockaddr *restrict address, socklen_t *restrict length, int flags);
int pipe2(int ends[2], int flags);

// The calling thread's affinity mask, as raw bytes: cpu_set_t and its macros are _GNU_SOURCE too.
static inline long clab_get_affinity(void *mask, unsigned long size) {
    return syscall(SYS_sched_getaffinity, 0, size, mask);
}

static inline long clab_set_affinity(const void *mask, unsigned long size) {
    return syscall(SYS_sched_setaffinity, 0, size, mask);
}

static inline long clab_current_cpu(unsigned *cpu) {
    return syscall(SYS_getcpu, cpu, 0, 0);
}

static inline int clab_pidfd_open(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

// Requests of ioctl(2) on /dev/ptmx, whose macros Swift cannot read.
static const unsigned long clab_unlock_terminal = TIOCSPTLCK;
static const unsigned long clab_far_end_of_terminal = TIOCGPTPEER;

// Denies the calling thread, for good, to open a netlink socket: the call fails with the errno (seccomp(2)).
static inline int clab_deny_netlink(int error) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

// Confines the calling thread by Landlock, for good (kernel 5.13): of files it loses to make block devices alone, but no
// process outside of the domain may be read any more.
static inline int clab_confine(void) {
    struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (ruleset < 0) return -1;
    int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? -1 : (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return result;
}

// Takes every capability from the calling thread, for good (capset(2)).
static inline int clab_drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return (int)syscall(SYS_capset, &header, none);
}

// Has a program that is started have no descriptors from a number on (Glibc 2.34). Its header is the libc module's own, and
// does not show this to Swift.
extern int posix_spawn_file_actions_addclosefrom_np(void *actions, int number);
static inline int clab_close_from(void *actions, int number) {
    return posix_spawn_file_actions_addclosefrom_np(actions, number);
}

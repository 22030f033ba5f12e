#pragma once
// The kernel's headers, and the calls that Glibc's Swift module hides because it is built without _GNU_SOURCE.
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <sys/ioctl.h>
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

// What Swift cannot import from libmnl and the kernel's headers, under the prefix cmnl_. No logic.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <mntent.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

/// `SIOCGIFNAME`: the name of an interface in the namespace of the socket `fd`; -1 and errno where there is none.
static inline int cmnl_interface_name(int fd, unsigned int index, char name[IF_NAMESIZE]) {
    struct ifreq request = {.ifr_ifindex = (int)index};
    if (ioctl(fd, SIOCGIFNAME, &request) < 0) return -1;
    memcpy(name, request.ifr_name, IF_NAMESIZE);
    return 0;
}

/// Whether the file is a network namespace (`NS_GET_NSTYPE`, kernel 4.11).
static inline int cmnl_is_network_namespace(int fd) { return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET; }

/// Moves the calling thread into a network namespace (`setns(2)`); -1 and errno where it may not.
static inline int cmnl_enter_network_namespace(int fd) { return (int)syscall(SYS_setns, fd, CLONE_NEWNET); }

/// `SIOCGIFINDEX`: the index of an interface in the namespace of the socket `fd`; -1 and errno where there is none.
static inline int cmnl_interface_index(int fd, const char *name) {
    struct ifreq request = {0};
    if (strlen(name) >= IF_NAMESIZE) return -1;
    strcpy(request.ifr_name, name);
    return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

/// Makes the process the parent of its descendants whose own parent ends (`PR_SET_CHILD_SUBREAPER`, kernel 3.4).
static inline int cmnl_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }

/// A descriptor that is readable while one of the signals of a `sigset_t` waits (`signalfd(2)`); -1 and errno. Its header
/// would define types of Glibc's module once more.
static inline int cmnl_signal_descriptor(const void *signals, int flags) {
    return (int)syscall(SYS_signalfd4, -1, signals, 8UL, flags);
}

/// Traces a thread with `PTRACE_O_*` options, without stopping it (`PTRACE_SEIZE`, kernel 3.4); -1 and errno.
static inline int cmnl_trace_begin(pid_t thread, unsigned long options) {
    return (int)ptrace(PTRACE_SEIZE, thread, (void *)0, (void *)options);
}

/// Other options for a thread that has stopped.
static inline int cmnl_trace_options(pid_t thread, unsigned long options) {
    return (int)ptrace(PTRACE_SETOPTIONS, thread, (void *)0, (void *)options);
}

/// Lets a traced thread go on, with a signal or 0.
static inline int cmnl_trace_continue(pid_t thread, int signal) {
    return (int)ptrace(PTRACE_CONT, thread, (void *)0, (void *)(long)signal);
}

/// Leaves a traced thread stopped, as job control wants it, until it is continued.
static inline int cmnl_trace_listen(pid_t thread) { return (int)ptrace(PTRACE_LISTEN, thread, (void *)0, (void *)0); }

/// Traces a thread no longer.
static inline int cmnl_trace_end(pid_t thread) { return (int)ptrace(PTRACE_DETACH, thread, (void *)0, (void *)0); }

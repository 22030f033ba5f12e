// What Swift cannot import from libmnl and the kernel's headers, under the prefix cmnl_. No logic.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <linux/time_types.h>
#include <mntent.h>
#include <net/if.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
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

/// A descriptor of a namespace of the calling thread, by a request to its `pidfd` (`PIDFD_THREAD`, `PIDFD_GET_*_NAMESPACE`,
/// kernel 6.11); -1 and errno.
static inline int cmnl_namespace_of_thread(unsigned int request) {
    enum { pidfd_thread = 0200 };
    int fd = (int)syscall(SYS_pidfd_open, (int)syscall(SYS_gettid), pidfd_thread);
    int namespace = fd < 0 ? -1 : ioctl(fd, request, 0);
    if (fd >= 0) close(fd);
    return namespace;
}

/// A descriptor of the PID namespace that the calling thread is in, where `/proc` does not show it; -1 and errno
/// (`PIDFD_GET_PID_NAMESPACE`).
static inline int cmnl_pid_namespace(void) { return cmnl_namespace_of_thread(_IO(0xFF, 5)); }

/// A descriptor of the network namespace that the calling thread is in, where `/proc` does not show it; -1 and errno. By a
/// `pidfd` (`PIDFD_GET_NET_NAMESPACE`), or by a socket, which takes CAP_NET_ADMIN (`SIOCGSKNS`, kernel 4.10).
static inline int cmnl_network_namespace(void) {
    enum { get_network_namespace = _IO(0xFF, 4), get_socket_namespace = 0x894C };
    int namespace = cmnl_namespace_of_thread(get_network_namespace);
    if (namespace >= 0) return namespace;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    namespace = fd < 0 ? -1 : ioctl(fd, get_socket_namespace, 0);
    if (fd >= 0) close(fd);
    return namespace;
}

/// The effective capabilities of the calling thread (`capget(2)`); -1 and errno.
static inline int cmnl_effective_capabilities(unsigned long long *capabilities) {
    // `_LINUX_CAPABILITY_VERSION_3` of <linux/capability.h>; of each half effective, permitted, inheritable.
    unsigned int header[2] = {0x20080522, 0}, data[6] = {0};
    if (syscall(SYS_capget, header, data) != 0) return -1;
    *capabilities = data[0] | (unsigned long long)data[3] << 32;
    return 0;
}

/// Takes from the calling thread all capabilities but these, for good (`capset(2)`); -1 and errno.
static inline int cmnl_limit_capabilities(unsigned long long kept) {
    unsigned int header[2] = {0x20080522, 0}, data[6] = {0};
    if (syscall(SYS_capget, header, data) != 0) return -1;
    for (int i = 0; i < 6; i++) data[i] &= i < 3 ? (unsigned int)kept : (unsigned int)(kept >> 32);
    return syscall(SYS_capset, header, data) != 0 ? -1 : 0;
}

/// Moves the calling thread into a network namespace (`setns(2)`); -1 and errno where it may not.
static inline int cmnl_enter_network_namespace(int fd) { return (int)syscall(SYS_setns, fd, CLONE_NEWNET); }

/// `SIOCGIFINDEX`: the index of an interface in the namespace of the socket `fd`; -1 and errno where there is none.
static inline int cmnl_interface_index(int fd, const char *name) {
    struct ifreq request = {0};
    if (strlen(name) >= IF_NAMESIZE) return -1;
    strcpy(request.ifr_name, name);
    return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

/// The name of the protocol of the socket that a file is, with a NUL behind it: its length, or -1 and errno where it is no
/// socket (`getxattr(2)` of `system.sockprotoname`, kernel 3.3).
static inline long cmnl_socket_protocol(const char *path, char *name, unsigned long size) {
    return (long)getxattr(path, "system.sockprotoname", name, size);
}

/// Makes the process the parent of its descendants whose own parent ends (`PR_SET_CHILD_SUBREAPER`, kernel 3.4).
static inline int cmnl_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }

/// A descriptor that is readable while one of the signals of a `sigset_t` waits (`signalfd(2)`); -1 and errno. Its header
/// would define types of Glibc's module once more.
static inline int cmnl_signal_descriptor(const void *signals, int flags) {
    return (int)syscall(SYS_signalfd4, -1, signals, 8UL, flags);
}

/// A descriptor that is readable while one of others is, close-on-exec (`epoll_create1(2)`); -1 and errno.
static inline int cmnl_poller(void) { return (int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC); }

/// Adds a descriptor to a poller, to be read from, or removes it; -1 and errno.
static inline int cmnl_poller_change(int poller, int descriptor, int adds) {
    struct epoll_event event = {.events = EPOLLIN};
    return (int)syscall(SYS_epoll_ctl, poller, adds ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, descriptor, &event);
}

/// A descriptor that is readable from a moment of CLOCK_MONOTONIC on (`timerfd_create(2)`); -1 and errno.
static inline int cmnl_timer(int flags) { return (int)syscall(SYS_timerfd_create, 1, flags); }

/// Sets a timer's moment; never for 0 and 0.
static inline int cmnl_timer_set(int timer, long long seconds, long long nanoseconds) {
    struct __kernel_itimerspec time = {.it_value = {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    return (int)syscall(SYS_timerfd_settime, timer, 1 /* TFD_TIMER_ABSTIME */, &time, (void *)0);
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

/// `bpf(2)`: makes a map; its descriptor, or -1 and errno.
static inline int cmnl_bpf_map(
    unsigned int type, unsigned int key_size, unsigned int value_size, unsigned int entries, unsigned int flags) {
    union bpf_attr attributes = {
        .map_type = type,
        .key_size = key_size,
        .value_size = value_size,
        .max_entries = entries,
        .map_flags = flags,
    };
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}

/// `bpf(2)`: loads a program. One of a tracepoint or an iterator names its type or function by the number in the kernel's
/// BTF. Its descriptor, or -1 and errno; where there is a log, the verifier says there what it objects to.
static inline int cmnl_bpf_load(
    unsigned int program_type, const unsigned long long *instructions, unsigned int count, unsigned int attach_type,
    unsigned int type, char *log, unsigned int log_size) {
    union bpf_attr attributes = {
        .prog_type = program_type,
        .expected_attach_type = attach_type,
        .attach_btf_id = type,
        .insns = (unsigned long long)(unsigned long)instructions,
        .insn_cnt = count,
        .license = (unsigned long long)(unsigned long)"GPL",
        .log_buf = (unsigned long long)(unsigned long)log,
        .log_size = log_size,
        .log_level = log_size ? 1 : 0,
    };
    memcpy(attributes.prog_name, "tcpstates", sizeof "tcpstates");
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
}

/// `bpf(2)`: runs a program at its tracepoint until the descriptor that this returns is closed; -1 and errno.
static inline int cmnl_bpf_attach(int program) {
    union bpf_attr attributes = {.raw_tracepoint = {.prog_fd = (unsigned int)program}};
    return (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attributes, sizeof attributes);
}

/// `bpf(2)`: runs a program of type `BPF_PROG_TYPE_RAW_TRACEPOINT` once, now and in the calling thread, with arguments that
/// it finds in its context; 0, or -1 and errno (kernel 5.10).
static inline int cmnl_bpf_run(int program, const unsigned long long *arguments, unsigned int size) {
    union bpf_attr attributes = {
        .test = {
            .prog_fd = (unsigned int)program,
            .ctx_size_in = size,
            .ctx_in = (unsigned long long)(unsigned long)arguments,
        },
    };
    return (int)syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof attributes);
}

/// `bpf(2)`: links a program to its iterator; a descriptor, or -1 and errno.
static inline int cmnl_bpf_link_iterator(int program) {
    union bpf_attr attributes = {.link_create = {.prog_fd = (unsigned int)program, .attach_type = BPF_TRACE_ITER}};
    return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes);
}

/// `bpf(2)`: begins an iterator by its link; a descriptor to read from, or -1 and errno.
static inline int cmnl_bpf_begin_iterator(int link) {
    union bpf_attr attributes = {.iter_create = {.link_fd = (unsigned int)link}};
    return (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attributes, sizeof attributes);
}

/// `bpf(2)`: how often a program was not begun because it was running on the same processor already (`recursion_misses` of
/// `struct bpf_prog_info`, which older headers lack; kernel 5.12); 0 where that is not reported.
static inline unsigned long long cmnl_bpf_missed(int program) {
    enum { offset = 208 };
    unsigned long long info[offset / 8 + 1] = {0};
    union bpf_attr attributes = {
        .info = {.bpf_fd = (unsigned int)program, .info_len = sizeof info, .info = (unsigned long long)(unsigned long)info},
    };
    if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof attributes) != 0) return 0;
    return attributes.info.info_len >= sizeof info ? info[offset / 8] : 0;
}

/// Reads a number that the kernel writes at the same time, before what is read after it.
static inline unsigned long cmnl_load_acquire(const void *address) {
    return __atomic_load_n((const unsigned long *)address, __ATOMIC_ACQUIRE);
}

/// The same of 32 bits.
static inline unsigned int cmnl_load_acquire32(const void *address) {
    return __atomic_load_n((const unsigned int *)address, __ATOMIC_ACQUIRE);
}

/// Writes a number that the kernel reads at the same time, after what was read before it.
static inline void cmnl_store_release(void *address, unsigned long number) {
    __atomic_store_n((unsigned long *)address, number, __ATOMIC_RELEASE);
}

#!/usr/bin/env python3
"""lint.includes: each outside library in one place only, *_internal.h in its own module, headers with their folder.

The table of outside libraries is cmake/libraries.txt: `header-prefix file-glob...`. A header in angle
brackets that is neither in it nor the C library's or the system's is an offence.
"""
import fnmatch
import re

import source

SYSTEM = set("""
    complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h signal.h stdalign.h
    stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h tgmath.h threads.h
    time.h uchar.h wchar.h wctype.h setjmp.h
    arpa/inet.h dirent.h dlfcn.h fcntl.h fnmatch.h ftw.h getopt.h glob.h grp.h ifaddrs.h langinfo.h libgen.h
    net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h sched.h semaphore.h spawn.h strings.h
    sys/eventfd.h sys/file.h sys/inotify.h sys/ioctl.h sys/mman.h sys/param.h sys/prctl.h sys/random.h
    sys/resource.h sys/select.h sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/sysctl.h sys/time.h
    sys/timerfd.h sys/times.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/wait.h sys/xattr.h sys/statfs.h sys/mount.h
    syslog.h termios.h unistd.h utime.h malloc.h
    immintrin.h emmintrin.h smmintrin.h nmmintrin.h x86intrin.h xmmintrin.h arm_neon.h arm_acle.h cpuid.h sys/auxv.h
    asm/hwcap.h features.h endian.h ucontext.h
    linux/fs.h linux/futex.h linux/mman.h linux/sched.h linux/membarrier.h execinfo.h
    mach/mach.h mach/mach_time.h os/lock.h TargetConditionals.h sys/event.h windows.h
    sanitizer/asan_interface.h sanitizer/tsan_interface.h sanitizer/common_interface_defs.h
    sanitizer/lsan_interface.h
""".split())


def main():
    offences = []
    places = {row[0]: row[1:] for row in source.table("cmake/libraries.txt")}
    pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")', re.M)
    for path in source.files():
        text = source.read(path)
        top, module = (path.split("/") + [""])[:2]
        for match in pattern.finditer(text):
            header = match.group(1)[1:-1]
            where = f"{path}:{source.line_of(text, match.start())}"
            if match.group(1)[0] == '"':
                if "/" not in header and top in ("src", "include"):
                    offences.append(f'{where}: "{header}" is included without its folder')
                owner = header.split("/")[0]
                if header.endswith("_internal.h") and top in ("src", "tests", "fuzz", "bench"):
                    if top in ("src", "tests") and owner != module:
                        offences.append(f'{where}: "{header}" belongs to the module {owner}')
                continue
            if top not in ("src", "include"):
                continue
            library = next((p for p in places if header == p or header.startswith(p)), None)
            if library is None:
                if header not in SYSTEM:
                    offences.append(f"{where}: <{header}> is in no row of cmake/libraries.txt")
            elif not any(fnmatch.fnmatch(path, glob) for glob in places[library]):
                offences.append(f"{where}: <{header}> belongs in {' '.join(places[library])}")
    source.finish(offences, "each outside library in one place, CONVENTIONS.md section 1")


main()

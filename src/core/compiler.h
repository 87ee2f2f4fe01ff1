/* SPDX-License-Identifier: MIT */
/* The only place for compiler extensions. */
#ifndef CORE_COMPILER_H
#define CORE_COMPILER_H

#define CWI_LIKELY(x) __builtin_expect(!!(x), 1)
#define CWI_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CWI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define CWI_NORETURN __attribute__((noreturn))
#define CWI_NOINLINE __attribute__((noinline))
#define CWI_INLINE static inline __attribute__((always_inline))
#define CWI_HOT __attribute__((hot))
#define CWI_COLD __attribute__((cold))
#define CWI_UNUSED __attribute__((unused))
#define CWI_MUST_USE __attribute__((warn_unused_result))
#define CWI_CONSTRUCTOR __attribute__((constructor))
#define CWI_ALIGNED(n) __attribute__((aligned(n)))
#define CWI_RETURN_ADDRESS() __builtin_return_address(0)
#define CWI_THREAD_LOCAL _Thread_local
#define CWI_FALLTHROUGH __attribute__((fallthrough))

/* Threaded dispatch of interpreters: the address of a label, and a jump to one. Code between BEGIN
 * and
 * END may use both; CWI_COMPUTED_GOTO is 0 where only a switch will do. */
#if !defined(CWI_COMPUTED_GOTO)
#define CWI_COMPUTED_GOTO 1
#endif
#if CWI_COMPUTED_GOTO
#define CWI_DISPATCH_BEGIN \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpedantic\"")
#define CWI_DISPATCH_END _Pragma("GCC diagnostic pop")
#else
#define CWI_DISPATCH_BEGIN
#define CWI_DISPATCH_END
#endif

#define CWI_CONTAINER_OF(pointer, type, member) \
  ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#define CWI_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#if defined(__SANITIZE_ADDRESS__)
#define CWI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CWI_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define CWI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CWI_TSAN 1
#endif
#endif
#ifndef CWI_ASAN
#define CWI_ASAN 0
#endif
#ifndef CWI_TSAN
#define CWI_TSAN 0
#endif

#if defined(__x86_64__) || defined(__i386__)
#define CWI_CPU_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define CWI_CPU_PAUSE() __asm__ volatile("yield")
#else
#define CWI_CPU_PAUSE() ((void)0)
#endif

/* Checked arithmetic: true where the result does not fit. */
#define CWI_ADD_OVERFLOWS(a, b, out) __builtin_add_overflow((a), (b), (out))
#define CWI_SUB_OVERFLOWS(a, b, out) __builtin_sub_overflow((a), (b), (out))
#define CWI_MUL_OVERFLOWS(a, b, out) __builtin_mul_overflow((a), (b), (out))

#define CWI_CLZ64(x) ((unsigned)__builtin_clzll(x))
#define CWI_CTZ64(x) ((unsigned)__builtin_ctzll(x))
/* Whether the CPU that runs us has an instruction set; x86 only. */
#define CWI_CPU_SUPPORTS(feature) __builtin_cpu_supports(feature)

#define CWI_POPCOUNT64(x) ((unsigned)__builtin_popcountll(x))

/* Integers of 128 bits, for products and coefficients. */
__extension__ typedef unsigned __int128 cwi_u128;

#endif

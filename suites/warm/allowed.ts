import type { Kind } from "./facts.ts";

/** What may differ between two labs that are alike. */
interface Exception {
  readonly kind: Kind;
  readonly what: RegExp;
  readonly why: string;
}

/** All of it. What a config tree means is never in this list. */
export const allowed: readonly Exception[] = [
  { kind: "sysctls", what: /^kernel\.random\./u, why: "random, or a count of randomness" },
  { kind: "sysctls", what: /^fs\.(?:dentry-state|inode-nr|inode-state|file-nr)$/u, why: "counts what the kernel has cached and opened this moment" },
  { kind: "sysctls", what: /^kernel\.ns_last_pid$/u, why: "counts the processes so far" },
  // Linux mm/mmap.c, init_user_reserve and init_admin_reserve: 3 % of what is free when the kernel comes to it.
  { kind: "sysctls", what: /^vm\.(?:admin|user)_reserve_kbytes$/u, why: "the kernel's own, by the pages that were free at one moment of its boot" },
  { kind: "sysctls", what: /^kernel\.pty\.nr$/u, why: "counts terminals that are open this moment" },
  { kind: "sysctls", what: /^net\.netfilter\.nf_conntrack_count$/u, why: "counts connections of this moment" },
  { kind: "sysctls", what: /^kernel\.hostname$/u, why: "told by the kind hostname" },
];

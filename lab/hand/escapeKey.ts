/** Ctrl-], as telnet(1) and virsh(1) have it: what leaves a machine's console. */
const escapeKey = 0x1d;

/** Of what was typed at a console: what is the machine's, and whether the key that leaves came then. */
export function untilEscape(typed: Buffer): { readonly keys: Buffer; readonly leaves: boolean } {
  const at = typed.indexOf(escapeKey);
  return at < 0 ? { keys: typed, leaves: false } : { keys: typed.subarray(0, at), leaves: true };
}

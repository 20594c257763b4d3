/**
 * Release of a Linux kernel, as `uname -r` would say it, out of the header of its bzImage: the 16-bit number at 0x20e, plus 0x200, is
 * where the version line stands (Documentation/arch/x86/boot.rst, field `kernel_version`).
 * @throws RangeError when the bytes are no bzImage with a version.
 */
export function kernelRelease(bzImage: Buffer): string {
  if (bzImage.length < 0x210 || bzImage.toString("latin1", 0x202, 0x206) !== "HdrS") {
    throw new RangeError("no x86 Linux kernel: the boot header's magic HdrS is not at 0x202");
  }
  const start = bzImage.readUInt16LE(0x20e) + 0x200;
  const release = /^[\w.+~-]+/u.exec(bzImage.toString("latin1", start, start + 256))?.[0];
  if (release === undefined) {
    throw new RangeError(`no kernel version at 0x${start.toString(16)}, where the boot header says that it is`);
  }
  return release;
}

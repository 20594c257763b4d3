/** A machine's graphical console: where its SPICE server listens, and the file of the ticket that lets somebody in. */
export interface GraphicalConsole {
  /** Path of the server's unix socket. */
  readonly socket: string;
  readonly ticketFile: string;
}

/** How many USB devices of the viewer's host can be the machine's at once. */
const usbChannels = 2;

/**
 * QEMU's arguments for a SPICE server and what a guest has of it: graphics card, the agent's port (copy and paste, the window's size), USB. Each device has its slot. The
 * ticket is in a file, as everybody reads command lines. Source: QEMU's docs/spice-port-fqdn.txt and qemu(1), `-spice`.
 */
export function graphicsArguments({ socket, ticketFile }: GraphicalConsole): string[] {
  const usb = Array.from({ length: usbChannels }, (_, number) => [
    ...["-chardev", `spicevmc,id=usb-${number},name=usbredir`],
    ...["-device", `usb-redir,chardev=usb-${number},bus=usb.0,port=${number + 1}`],
  ]);
  return [
    ...["-object", `secret,id=ticket,file=${doubledCommas(ticketFile)}`],
    ...["-spice", `unix=on,addr=${doubledCommas(socket)},disable-ticketing=off,password-secret=ticket`],
    ...["-device", "qxl-vga,romfile=,addr=0x18"],
    ...["-device", "virtio-serial-pci,id=agent,addr=0x19"],
    ...["-chardev", "spicevmc,id=vdagent,name=vdagent", "-device", "virtserialport,chardev=vdagent,bus=agent.0,name=com.redhat.spice.0"],
    ...["-device", "qemu-xhci,id=usb,addr=0x1a"],
    ...usb.flat(),
  ];
}

/** A value as QEMU's option syntax wants it. */
export function doubledCommas(value: string): string {
  return value.replaceAll(",", ",,");
}

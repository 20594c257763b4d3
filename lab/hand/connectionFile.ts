import type { GraphicalConsole } from "../machine/graphicalConsole.ts";

/**
 * The file by which remote-viewer finds a graphical console and gets in, and which it removes when it has read it: so the ticket is in no command line.
 * Source: remote-viewer(1), "CONNECTION FILE"; values are written as GLib's key files have them.
 */
export function connectionFile({ socket }: Pick<GraphicalConsole, "socket">, ticket: string, title: string): string {
  const value = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return ["[virt-viewer]", "type=spice", `unix-path=${value(socket)}`, `password=${value(ticket)}`, `title=${value(title)}`, "delete-this-file=1", ""].join("\n");
}

/** What a guest's kernel has of packet rules when all its files are loaded. */
export interface Ruleset {
  readonly machine: string;
}

/** Words of a command that needs no shell; undefined when it has quotes, variables, several commands or assignments. */
export function plainWords(command: string): string[] | undefined {
  const words = command.trim().split(/\s+/);
  const [first = ''] = words;
  return /^[\w@%+=:,./ -]+$/.test(command.trim()) && first !== '' && !first.includes('=') ? words : undefined;
}

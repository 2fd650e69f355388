/** `$(NAME)` in commands, arguments and environment values: replaced where known, left as written where not; `$$` is a dollar. */
export function expand(text: string, value: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name?: string) => (whole === '$$' ? '$' : (value(name ?? '') ?? whole)))
}

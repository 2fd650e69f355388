/** Keys that a YAML body has twice. They are seen where it becomes JSON, and told where its object is read. */

const known = new WeakMap<Buffer, readonly string[]>()

/** Keeps what was seen of a body: `line 6: key "a" already set in map`. */
export function noteRepeated(body: Buffer, lines: readonly string[]): void {
  if (lines.length > 0) known.set(body, lines)
}

/** What was seen of a body. */
export const repeatedIn = (body: Buffer): readonly string[] | undefined => known.get(body)

/** All of it in one sentence, as strict readers refuse it. */
export const asOneError = (lines: readonly string[]): string => `yaml: unmarshal errors:\n${lines.map((line) => `  ${line}`).join('\n')}`

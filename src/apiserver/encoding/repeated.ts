/** Duplicate keys of YAML bodies. Found during the conversion to JSON, reported when the object is decoded. */

const known = new WeakMap<Buffer, readonly string[]>()

/** Records the duplicates of a body: `line 6: key "a" already set in map`. */
export function noteRepeated(body: Buffer, lines: readonly string[]): void {
  if (lines.length > 0) known.set(body, lines)
}

/** The recorded duplicates of a body. */
export const repeatedIn = (body: Buffer): readonly string[] | undefined => known.get(body)

/** All of them in one error, as with strict decoding. */
export const asOneError = (lines: readonly string[]): string => `yaml: unmarshal errors:\n${lines.map((line) => `  ${line}`).join('\n')}`

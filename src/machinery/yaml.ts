/**
 * YAML as Kubernetes reads and writes it: version 1.1 as far as JSON goes. `yes` is true and `0644` is 420, but dates stay
 * text; what other readers of 1.1 could take for something else than text is written in quotes.
 */
import { parse, parseAllDocuments, stringify } from 'yaml'
import type { ScalarTag, Tags } from 'yaml'

/** Values that JSON does not have, and numbers to base 60, which nobody means. */
const unwanted = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`))
/** `0o644`, the octal number of version 1.2, is one beside `0644`. */
const newOctal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int', default: true, format: 'OCT', test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => (text.startsWith('-') ? -1 : 1) * Number.parseInt(text.replace(/^[-+]?0o|_/g, ''), 8),
}

/** The tags of YAML 1.1 whose values JSON has. */
export const tagsOfJson = (tags: Tags): Tags => [...tags.filter((tag) => typeof tag === 'string' || (!unwanted.has(tag.tag) && tag.format !== 'TIME')), newOctal]

export interface YamlOptions {
  /** Refuse mappings that have a key twice; without it, the last one counts. */
  readonly uniqueKeys?: boolean
  /** Integers as bigints, with all their digits. */
  readonly intAsBigInt?: boolean
}

/** The value of one document; null of an empty one. Throws an `Error` that says where the text is no YAML. */
export const parseYaml = (text: string, { uniqueKeys = false, intAsBigInt = false }: YamlOptions = {}): unknown =>
  parse(text, { version: '1.1', customTags: tagsOfJson, merge: true, maxAliasCount: 100, logLevel: 'error', uniqueKeys, intAsBigInt })

/** The values of all documents that are not empty. Throws as `parseYaml` does. */
export const parseYamlDocuments = (text: string): readonly object[] =>
  [...parseAllDocuments(text, { version: '1.1', customTags: tagsOfJson, merge: true, logLevel: 'error' })].flatMap((document) => {
    const [error] = document.errors
    if (error) throw error
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return typeof value === 'object' && value !== null ? [value] : []
  })

/** A document in the form in which Kubernetes writes it: fields by name, no aliases, no folded lines. */
export const formatYaml = (value: unknown): string =>
  stringify(value, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0, indentSeq: false, sortMapEntries: true })

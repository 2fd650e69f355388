/**
 * YAML from clients to JSON. Reading YAML takes a hundred times what JSON takes, and a client can make it take longer still: what is
 * more than a few lines is read in a thread of its own, one text after the other, each with a limit of time.
 */
import { Worker } from 'node:worker_threads'
import { isScalar, parseDocument, visit, LineCounter } from 'yaml'
// Writes bigints into JSON.
import './json/exact.ts'
import { parseYaml, tagsOfJson } from './yaml.ts'

export interface YamlJsonOptions {
  /** Look for keys that a mapping has twice: takes as long again. */
  readonly repeated: boolean
  /** Milliseconds that one text may take; 5,000. */
  readonly limit?: number
}

/** Characters that are read at once, in about five milliseconds. */
const short = 4096
const defaultLimit = 5000
/** The thread ends when nobody has needed it for so long, in milliseconds. */
const idle = 30_000

/** A document as JSON. */
export interface YamlJson {
  readonly json: string
  /** Keys that a mapping has twice, in the words of Kubernetes's reader: `line 6: key "a" already set in map`. */
  readonly repeated: readonly string[]
}

const none: readonly string[] = []

function repeatedKeys(text: string): readonly string[] {
  const found: { readonly line: number; readonly name: string }[] = []
  const lines = new LineCounter()
  const document = parseDocument(text, { version: '1.1', customTags: tagsOfJson, merge: true, logLevel: 'silent', uniqueKeys: false, lineCounter: lines })
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        const name = String(key.value)
        if (seen.has(name) && name !== '<<') found.push({ line: lines.linePos(key.range?.[0] ?? 0).line, name })
        seen.add(name)
      }
    },
  })
  return found.toSorted((a, b) => a.line - b.line).map(({ line, name }) => `line ${line}: key ${JSON.stringify(name)} already set in map`)
}

/** What may be an integer that a double does not keep: decimal, hexadecimal, with underscores or without. */
const longInteger = /\d[\da-f_]{13}/i

/** The JSON text of a YAML document; `null` for an empty one. Throws an `Error` that says where the text is no YAML, or what JSON cannot say. */
export function yamlToJsonNow(text: string, repeated: boolean): YamlJson {
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x08\v\f\x0e-\x1f\x7f]/.test(text)) throw new Error('control characters are not allowed')
  const json = JSON.stringify(parseYaml(text, { intAsBigInt: longInteger.test(text) }) ?? null)
  return { json, repeated: repeated ? repeatedKeys(text) : none }
}

interface Job { readonly text: string; readonly repeated: boolean; readonly limit: number; resolve(made: YamlJson): void; reject(error: Error): void }
export type Answer = YamlJson | { readonly error: string }

const waiting: Job[] = []
let worker: Worker | undefined
let busy = false
let resting: NodeJS.Timeout | undefined

/** In the sources, or beside the bundle that users run. */
const place = () => new URL(import.meta.url.endsWith('.ts') ? './yaml-worker.ts' : './yaml-worker.mjs', import.meta.url)

function rest(): void {
  const resting = worker
  worker = undefined
  void resting?.terminate()
}

function next(): void {
  const job = waiting.shift()
  if (!job) {
    busy = false
    resting = setTimeout(rest, idle).unref()
    return
  }
  busy = true
  clearTimeout(resting)
  const mine = (worker ??= new Worker(place()))
  mine.unref()
  const done = (answer: Answer) => {
    clearTimeout(timer)
    mine.off('message', done).off('error', broken)
    if ('json' in answer) job.resolve(answer)
    else job.reject(new Error(answer.error))
    next()
  }
  const give = (why: string) => {
    if (worker === mine) rest()
    done({ error: why })
  }
  const broken = (error: Error) => give(error.message)
  const timer = setTimeout(() => give('the document takes too long to read'), job.limit)
  mine.on('message', done).on('error', broken)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  mine.postMessage({ text: job.text, repeated: job.repeated })
}

/** The JSON text of a YAML document. Rejects with an `Error` that says where the text is no YAML. What is JSON already stays as it is. */
export function yamlToJson(text: string, { repeated, limit = defaultLimit }: YamlJsonOptions): Promise<YamlJson> {
  if (text.length <= short) return new Promise((resolve) => resolve(yamlToJsonNow(text, repeated)))
  return new Promise((resolve, reject) => {
    waiting.push({ text, repeated, limit, resolve, reject })
    if (!busy) next()
  })
}

/** Reads Dockerfiles: the part of the language that needs no build daemon. The rules are those of the Dockerfile reference. */

export interface Instruction {
  readonly name: 'FROM' | 'ARG' | 'ENV' | 'COPY' | 'ADD' | 'RUN' | 'CMD' | 'ENTRYPOINT' | 'WORKDIR' | 'USER' | 'EXPOSE' | 'LABEL' | 'VOLUME' | 'STOPSIGNAL' | 'SHELL'
  /** The line it starts on, for messages. */
  readonly line: number
  /** `--from=build` becomes `{ from: 'build' }`. */
  readonly flags: Readonly<Record<string, string>>
  /** What follows, as written, continuation lines joined. */
  readonly text: string
  /** The words of the JSON form `["a", "b"]`; undefined in the shell form. */
  readonly words?: readonly string[]
}

/** The flags that do something here; any other would be left undone without a word. */
const flagsOf: Readonly<Record<string, readonly string[]>> = { COPY: ['from', 'chmod', 'chown'], ADD: ['from', 'chmod', 'chown'] }

const known = new Set(['FROM', 'ARG', 'ENV', 'COPY', 'ADD', 'RUN', 'CMD', 'ENTRYPOINT', 'WORKDIR', 'USER', 'EXPOSE', 'LABEL', 'VOLUME', 'STOPSIGNAL', 'SHELL'])

/** The instructions of a Dockerfile, in order. Throws an error that names the line. */
export function parseDockerfile(text: string): Instruction[] {
  const instructions: Instruction[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (let i = 0; i < lines.length; i++) {
    const start = i
    let joined = (lines[i] as string).trimStart()
    if (joined === '' || joined.startsWith('#')) continue
    while (/\\\s*$/.test(joined) && i + 1 < lines.length) {
      i++
      const next = lines[i] as string
      if (/^\s*#/.test(next)) continue
      joined = joined.replace(/\\\s*$/, '') + next
    }
    instructions.push(parseInstruction(joined.trim(), start + 1))
  }
  if (!instructions.some((instruction) => instruction.name === 'FROM')) throw new Error('Dockerfile: there is no FROM; "FROM scratch" starts from nothing')
  return instructions
}

function parseInstruction(text: string, line: number): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? []
  const name = word.toUpperCase()
  if (!known.has(name)) throw new Error(`Dockerfile line ${line}: ${word} is not supported; supported: ${[...known].join(', ')}`)
  const flags: Record<string, string> = {}
  let body = rest
  for (let flag = /^--([a-z-]+)(?:=(\S+))?\s*/.exec(body); flag; flag = /^--([a-z-]+)(?:=(\S+))?\s*/.exec(body)) {
    if (!flagsOf[name]?.includes(flag[1] as string)) throw new Error(`Dockerfile line ${line}: ${name} --${flag[1]} is not supported`)
    flags[flag[1] as string] = flag[2] ?? ''
    body = body.slice(flag[0].length)
  }
  if (body === '') throw new Error(`Dockerfile line ${line}: ${name} needs something after it`)
  const words = body.startsWith('[') ? jsonWords(body) : undefined
  return { name: name as Instruction['name'], line, flags, text: body, ...(words ? { words } : {}) }
}

/** The exec form; text that merely starts with a bracket (a shell test) is none. */
function jsonWords(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

/** Splits into words as a shell would, without expanding anything: quotes group, a backslash escapes. */
export function splitWords(text: string): string[] {
  const words: string[] = []
  for (const match of text.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs)) {
    words.push(match[0].replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs, (_, double?: string, single?: string, escaped?: string) => double?.replace(/\\(["\\$])/g, '$1') ?? single ?? escaped ?? ''))
  }
  return words
}

/** `ENV a=1 b="2 3"` and the old `ENV a 1`: pairs of name and value. */
export function parsePairs(text: string): [string, string][] {
  const first = /^([^\s=]+)\s+(.*)$/s.exec(text)
  if (first && !text.split(/\s/)[0]?.includes('=')) return [[first[1] as string, (first[2] as string).trim()]]
  return splitWords(text).map((word) => {
    const at = word.indexOf('=')
    return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
  })
}

/** Replaces `$name`, `${name}`, `${name:-default}` and `${name:+other}`; `\$` stays a dollar sign. */
export function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\\\$|\$\{(\w+)(?::([-+])([^}]*))?\}|\$(\w+)/g, (all, braced?: string, operator?: string, word?: string, bare?: string) => {
    if (all === '\\$') return '$'
    const value = variables[(braced ?? bare) as string] ?? ''
    if (operator === '-') return value === '' ? (word ?? '') : value
    if (operator === '+') return value === '' ? '' : (word ?? '')
    return value
  })
}

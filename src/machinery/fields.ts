/** Field selectors: `metadata.name=web,status.phase!=Running`. Which paths a resource offers is the registry's business. */
import { badRequest } from './errors.ts'

export interface FieldRequirement {
  readonly path: string
  readonly op: '=' | '!='
  readonly value: string
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[]
  readonly empty: boolean
  /** Whether an object with these field values is selected; a path that is not among them has the value ''. */
  matches(values: Readonly<Record<string, string>>): boolean
  toString(): string
}

const escape = (value: string) => value.replace(/[\\,=]/g, (c) => `\\${c}`)

/** A selector from its requirements; all of them must hold. */
function fieldSelectorOf(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    requirements,
    empty: requirements.length === 0,
    matches: (values) => requirements.every(({ path, op, value }) => ((Object.hasOwn(values, path) ? values[path] : '') === value) === (op === '=')),
    toString: () => requirements.map(({ path, op, value }) => `${path}${op}${escape(value)}`).join(','),
  }
}

/** Selects everything. */
export const everyField: FieldSelector = fieldSelectorOf([])

/** Splits at commas that are not escaped. */
function terms(text: string): string[] {
  const out: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === ',') {
      out.push(text.slice(start, i))
      start = i + 1
    }
  }
  out.push(text.slice(start))
  return out
}

function unescape(value: string): string {
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const c = value[i] as string
    if (c === '=') throw badRequest(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`)
    if (c !== '\\') {
      out += c
      continue
    }
    const next = value[++i]
    if (next === undefined || !'\\,='.includes(next)) throw badRequest(`invalid field selector: invalid escape sequence: \\${next ?? ''}`)
    out += next
  }
  return out
}

/** Reads a field selector. Throws `ApiError` 400 on what is none. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = []
  for (const term of terms(text).sort()) {
    if (term === '') continue
    const at = term.search(/!=|=/)
    if (at < 0) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const op = term[at] === '!' ? '!=' : '='
    const skip = op === '!=' || term.startsWith('==', at) ? 2 : 1
    const requirement: FieldRequirement = { path: term.slice(0, at), op, value: unescape(term.slice(at + skip)) }
    // What says nothing of nothing asks for nothing.
    if (requirement.path !== '' || requirement.value !== '') requirements.push(requirement)
  }
  return requirements.length === 0 ? everyField : fieldSelectorOf(requirements)
}

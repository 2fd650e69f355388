/** Names of custom kinds: within a group each belongs to one definition, the first that took it. */
import type { apiextensions } from '../../api/index.ts'
import type { Definition, Statement } from './conditions.ts'

type Names = apiextensions.CustomResourceDefinitionNames

export interface NameDecision {
  readonly accepted: Names
  readonly statement: Statement
}

/** The names that the definitions of a group have taken: one space for plurals, singulars and short names, one for kinds. */
function takenBy(others: readonly Definition[]) {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { status: { acceptedNames: names } } of others) {
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name)
    for (const name of [names.kind, names.listKind]) if (name) kinds.add(name)
  }
  return { resources, kinds }
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`

/** Which of its names a definition may use, given the others of its group. Names that are taken stay what they were before. */
export function decideNames({ spec, status }: Definition, others: readonly Definition[]): NameDecision {
  const { resources, kinds } = takenBy(others)
  const wanted = spec.names
  const before = status.acceptedNames
  const accepted: { -readonly [K in keyof Names]: Names[K] } = { ...before, categories: wanted.categories }
  let conflict: Pick<Statement, 'reason' | 'message'> | undefined
  const claim = (field: 'plural' | 'singular' | 'kind' | 'listKind', taken: ReadonlySet<string>, reason: string) => {
    const name = wanted[field]
    if (name && taken.has(name)) conflict = { reason, message: inUse(name) }
    else accepted[field] = name as string
  }
  claim('plural', resources, 'PluralConflict')
  claim('singular', resources, 'SingularConflict')
  const shortTaken = (wanted.shortNames ?? []).filter((name) => resources.has(name))
  if (shortTaken.length === 0) accepted.shortNames = wanted.shortNames
  else conflict = { reason: 'ShortNamesConflict', message: shortTaken.length === 1 ? inUse(shortTaken[0] as string) : `[${shortTaken.map(inUse).join(', ')}]` }
  claim('kind', kinds, 'KindConflict')
  claim('listKind', kinds, 'ListKindConflict')
  const statement: Statement = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  return { accepted, statement }
}

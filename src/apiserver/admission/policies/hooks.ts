/** Policies with their bindings and compiled expressions, as the watch cache has them now. */
import type { Lister } from '../../options.ts'

interface Named { readonly metadata: { readonly name?: string | undefined; readonly uid?: string | undefined; readonly generation?: number | undefined } }

export interface Hook<P, B, C> {
  readonly policy: P
  /** In the order of their names. */
  readonly bindings: readonly B[]
  readonly compiled: C
}

export interface Hooks<P, B, C> {
  /** Whether any policy is bound: the cheap question that every write asks. */
  any(): boolean
  /** Bound policies in the order of their names; each is compiled once for its generation. */
  all(): Promise<readonly Hook<P, B, C>[]>
}

export interface HooksOptions<P, B, C> {
  readonly policies: Lister<P>
  readonly bindings: Lister<B>
  readonly policyOf: (binding: B) => string | undefined
  readonly compile: (policy: P) => Promise<C>
}

export function createHooks<P extends Named, B extends Named, C>({ policies, bindings, policyOf, compile }: HooksOptions<P, B, C>): Hooks<P, B, C> {
  const compiled = new Map<string, { readonly version: string; readonly value: Promise<C> }>()
  let known: { readonly policies: number; readonly bindings: number; readonly any: boolean; hooks?: Promise<readonly Hook<P, B, C>[]> } | undefined

  const compiledOf = (policy: P): Promise<C> => {
    const { name = '', uid, generation } = policy.metadata
    const version = `${uid}/${generation}`
    const before = compiled.get(name)
    if (before?.version === version) return before.value
    const value = compile(policy)
    compiled.set(name, { version, value })
    return value
  }
  const build = async (): Promise<readonly Hook<P, B, C>[]> => {
    const byPolicy = Map.groupBy(bindings.list(), (binding) => policyOf(binding) ?? '')
    const bound = policies.list().filter((policy) => byPolicy.has(policy.metadata.name ?? ''))
    for (const name of compiled.keys()) if (!byPolicy.has(name)) compiled.delete(name)
    return Promise.all(bound.map(async (policy) => ({ policy, bindings: byPolicy.get(policy.metadata.name ?? '') as B[], compiled: await compiledOf(policy) })))
  }
  /** What is known as long as no policy and no binding changes. */
  const now = () => {
    const [p, b] = [policies.revision(), bindings.revision()]
    if (known?.policies !== p || known.bindings !== b) known = { policies: p, bindings: b, any: bindings.list().length > 0 && policies.list().length > 0 }
    return known
  }
  return {
    any: () => now().any,
    all: () => (now().hooks ??= build()),
  }
}

/**
 * The actual and the desired content of an nftables table. Each owner (a service, a pod, the base) declares its part as a
 * `Fragment`; the ledger computes the difference and writes it as one nft transaction.
 *
 *     stage(owner, fragment) ──▶ claims ──▶ touched names ──▶ take() → { script, commit }
 *                                                             rebuild() → { script, commit }
 */

export interface Chain {
  /** Base chains only: `type nat hook prerouting priority dstnat; policy accept;`. Never changes for a name. */
  readonly hook?: string
  readonly rules: readonly string[]
}

export interface Element {
  /** The set or map it belongs to. */
  readonly in: string
  readonly key: string
  /** Maps only: a verdict or a datum. */
  readonly value?: string
}

/** One owner's part of the table. A name that two owners declare belongs to the first, until it drops it. */
export interface Fragment {
  readonly chains?: Readonly<Record<string, Chain>>
  /** Name → declaration (`type ipv4_addr; timeout 3h;`). Never changes for a name. */
  readonly sets?: Readonly<Record<string, string>>
  readonly maps?: Readonly<Record<string, string>>
  readonly elements?: readonly Element[]
}

/** A script for `nft -f -`, and a function to call once nft has applied it. */
export interface Transaction {
  readonly script: string
  commit(): void
}

export interface Ledger {
  /** Replaces an owner's part; `undefined` removes it. */
  stage(owner: string, fragment: Fragment | undefined): void
  /** The difference from what was last committed; undefined when there is none. */
  take(): Transaction | undefined
  /** The whole table, to replace whatever is there. */
  rebuild(): Transaction
}

type Kind = 'set' | 'map' | 'chain' | 'element'
interface Thing {
  readonly id: string
  readonly kind: Kind
  /** Of an element: the set it is in. */
  readonly name: string
  readonly key?: string
  readonly value?: string
  readonly rules?: readonly string[]
}

function things(fragment: Fragment): Map<string, Thing> {
  const all = new Map<string, Thing>()
  const put = (thing: Thing) => { if (!all.has(thing.id)) all.set(thing.id, thing) }
  for (const [name, value] of Object.entries(fragment.sets ?? {})) put({ id: `set ${name}`, kind: 'set', name, value })
  for (const [name, value] of Object.entries(fragment.maps ?? {})) put({ id: `map ${name}`, kind: 'map', name, value })
  for (const [name, chain] of Object.entries(fragment.chains ?? {})) put({ id: `chain ${name}`, kind: 'chain', name, value: chain.hook, rules: chain.rules })
  for (const e of fragment.elements ?? []) put({ id: `in ${e.in} ${e.key}`, kind: 'element', name: e.in, key: e.key, value: e.value })
  return all
}

const sameRules = (a: readonly string[] = [], b: readonly string[] = []) => a.length === b.length && a.every((rule, i) => rule === b[i])
const same = (a: Thing, b: Thing) => a.value === b.value && sameRules(a.rules, b.rules)

/** Many elements per line: nft parses one long line faster than many short ones. */
const perLine = 256

function elementLines(verb: 'add' | 'delete', table: string, elements: readonly Thing[]): string[] {
  const bySet = new Map<string, string[]>()
  for (const e of elements) {
    const text = e.value === undefined || verb === 'delete' ? `${e.key}` : `${e.key} : ${e.value}`
    const list = bySet.get(e.name)
    if (list) list.push(text)
    else bySet.set(e.name, [text])
  }
  const lines: string[] = []
  for (const [name, texts] of bySet) {
    for (let i = 0; i < texts.length; i += perLine) lines.push(`${verb} element ${table} ${name} { ${texts.slice(i, i + perLine).join(', ')} }`)
  }
  return lines
}

interface Delta { readonly removed: readonly Thing[]; readonly added: readonly Thing[]; readonly changed: readonly Thing[] }

/**
 * The order matters: referenced objects are added before, and deleted after, those that reference them.
 * A changed element is deleted and added: within one transaction nobody sees it missing.
 */
function scriptOf(table: string, { removed, added, changed }: Delta): string {
  const of = (list: readonly Thing[], kind: Kind) => list.filter((thing) => thing.kind === kind)
  const rules = (chain: Thing) => (chain.rules ?? []).map((rule) => `add rule ${table} ${chain.name} ${rule}`)
  const gone = of(removed, 'chain')
  return [
    ...of(added, 'set').map((s) => `add set ${table} ${s.name} { ${s.value} }`),
    ...of(added, 'map').map((m) => `add map ${table} ${m.name} { ${m.value} }`),
    ...of(added, 'chain').map((c) => `add chain ${table} ${c.name}${c.value ? ` { ${c.value} }` : ''}`),
    ...of(added, 'chain').flatMap(rules),
    ...of(changed, 'chain').flatMap((c) => [`flush chain ${table} ${c.name}`, ...rules(c)]),
    ...elementLines('delete', table, [...of(removed, 'element'), ...of(changed, 'element')]),
    ...elementLines('add', table, [...of(added, 'element'), ...of(changed, 'element')]),
    ...gone.map((c) => `flush chain ${table} ${c.name}`),
    ...of(removed, 'set').map((s) => `delete set ${table} ${s.name}`),
    ...of(removed, 'map').map((m) => `delete map ${table} ${m.name}`),
    ...gone.map((c) => `delete chain ${table} ${c.name}`),
  ].join('\n')
}

/** A ledger for one table: `createLedger('ip', 'skiff-a')`. Declarations of sets, maps and hooks must not change under a name. */
export function createLedger(family: 'ip' | 'ip6', name: string): Ledger {
  const table = `${family} ${name}`
  const parts = new Map<string, Map<string, Thing>>()
  /** The owners that declare a name, in order. */
  const claims = new Map<string, Map<string, Thing>>()
  const applied = new Map<string, Thing>()
  const touched = new Set<string>()
  const wanted = (id: string): Thing | undefined => claims.get(id)?.values().next().value

  function stage(owner: string, fragment: Fragment | undefined): void {
    const before = parts.get(owner)
    const now = fragment ? things(fragment) : new Map<string, Thing>()
    for (const id of before?.keys() ?? []) {
      if (now.has(id)) continue
      touched.add(id)
      const claim = claims.get(id)
      claim?.delete(owner)
      if (claim?.size === 0) claims.delete(id)
    }
    for (const [id, thing] of now) {
      const claim = claims.get(id)
      if (claim) claim.set(owner, thing)
      else claims.set(id, new Map([[owner, thing]]))
      touched.add(id)
    }
    if (now.size > 0) parts.set(owner, now)
    else parts.delete(owner)
  }

  function settle(id: string, now: Thing | undefined): void {
    if (now) applied.set(id, now)
    else applied.delete(id)
  }

  function take(): Transaction | undefined {
    const removed: Thing[] = []
    const added: Thing[] = []
    const changed: Thing[] = []
    for (const id of touched) {
      const was = applied.get(id)
      const now = wanted(id)
      if (was && !now) removed.push(was)
      else if (now && !was) added.push(now)
      else if (was && now && !same(was, now)) changed.push(now)
    }
    touched.clear()
    if (removed.length + added.length + changed.length === 0) return undefined
    // An element is deleted with its set: nft refuses to delete it from one that is new or gone.
    const goneSets = new Set(removed.filter((t) => t.kind === 'set' || t.kind === 'map').map((t) => t.name))
    const delta = { removed: removed.filter((t) => t.kind !== 'element' || !goneSets.has(t.name)), added, changed }
    const commit = () => {
      for (const thing of removed) settle(thing.id, undefined)
      for (const thing of [...added, ...changed]) settle(thing.id, thing)
    }
    return { script: scriptOf(table, delta), commit }
  }

  function rebuild(): Transaction {
    touched.clear()
    const added = [...claims.keys()].map((id) => wanted(id) as Thing)
    const commit = () => {
      applied.clear()
      for (const thing of added) applied.set(thing.id, thing)
    }
    // Adding it first makes the deletion valid if there is no table yet.
    const head = [`add table ${table}`, `delete table ${table}`, `add table ${table}`]
    return { script: [...head, scriptOf(table, { removed: [], added, changed: [] })].join('\n'), commit }
  }

  return { stage, take, rebuild }
}

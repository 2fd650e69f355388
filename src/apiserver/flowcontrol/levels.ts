/** The priority levels and flow schemas in effect, kept in step with the objects in the cache. */
import type { flowcontrol } from '../../api/index.ts'
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'
import type { Lister } from '../options.ts'
import { Level, type Flow, type Schema } from './level.ts'
import { means, rulesFor } from './match.ts'
import { mandatoryLevels, mandatorySchemas } from './objects.ts'
import { distribute, fairFraction, limitsOf } from './seats.ts'

export interface LevelsOptions {
  readonly levels: Lister<flowcontrol.PriorityLevelConfiguration>
  readonly schemas: Lister<flowcontrol.FlowSchema>
  /** The seats that the levels share. */
  readonly seats: number
}

/** The flow schema and flow of a request. */
export interface Classification { readonly schema: Schema; readonly flow: Flow }

export interface Levels {
  /** Sorted by name. */
  all(): readonly Level[]
  schemas(): readonly Schema[]
  /** The first schema that matches the request; cached for identical requests. */
  classify(user: Identity, info: RequestInfo): Classification
  /** Redistributes the seats by the demand since the last call. `now` in milliseconds. */
  adjust(now: number): void
  /** The fair fraction of the demand as of the last adjustment; 0 before the first. */
  fraction(): number
}

/** The schemas that can match a user, and cached classifications by what the request is about. */
interface Known { readonly rules: readonly { readonly schema: Schema; readonly rules: readonly flowcontrol.PolicyRulesWithSubjects[] }[]; readonly decisions: Map<string, Classification> }

/** The weight that past demand keeps after ten seconds. */
const memory = 0.977
/** The longest cached key, in characters. */
const memorable = 400
/** Classifications cached for one user. */
const remembered = 1000

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)

/** The mandatory objects are in effect even if they are not stored. */
function withMandatory<T extends { readonly metadata: { readonly name?: string } }>(objects: readonly T[], mandatory: readonly { readonly name: string; readonly spec: object }[]): readonly T[] {
  const names = new Set(objects.map((object) => object.metadata.name))
  return [...objects, ...mandatory.filter(({ name }) => !names.has(name)).map(({ name, spec }) => ({ metadata: { name }, spec }) as unknown as T)]
}

function keyOf({ isResourceRequest, verb, group, resource, subresource, namespace, path }: RequestInfo): string {
  return isResourceRequest ? `${verb} ${group} ${resource} ${subresource} ${namespace}` : `${verb} ${path}`
}

export function createLevels(options: LevelsOptions): Levels {
  const levels = new Map<string, Level>()
  let sorted: readonly Level[] = []
  let schemas: readonly Schema[] = []
  let seenLevels = -1
  let seenSchemas = -1
  let known = new WeakMap<Identity, Known>()
  let fraction = 0

  const refreshLevels = () => {
    const objects = withMandatory(options.levels.list(), mandatoryLevels)
    const names = new Set<string>()
    for (const { metadata: { name = '', uid = '' }, spec } of objects) {
      names.add(name)
      const level = levels.get(name)
      if (!level) levels.set(name, new Level(name, spec))
      else if (level.spec !== spec) level.configure(spec)
      ;(levels.get(name) as Level).uid = uid
    }
    for (const [name, level] of levels) {
      if (names.has(name)) continue
      level.quiescing = true
      if (level.executing === 0 && level.waiting === 0) levels.delete(name)
    }
    sorted = [...levels.values()].toSorted(byName)
    const limits = limitsOf(sorted.map(({ spec }) => spec), options.seats)
    sorted.forEach((level, i) => {
      const next = limits[i] as Level['limits']
      if (level.limits.nominal === 0 || next.nominal !== level.limits.nominal) level.current = Math.max(1, next.nominal)
      level.limits = next
    })
  }
  const refresh = () => {
    const atLevels = options.levels.revision()
    const atSchemas = options.schemas.revision()
    if (atLevels === seenLevels && atSchemas === seenSchemas) return
    seenLevels = atLevels
    seenSchemas = atSchemas
    refreshLevels()
    schemas = withMandatory(options.schemas.list(), mandatorySchemas)
      .filter(({ spec }) => levels.get(spec.priorityLevelConfiguration.name)?.quiescing === false)
      .map((object) => ({ object, name: object.metadata.name ?? '', uid: object.metadata.uid ?? '', level: levels.get(object.spec.priorityLevelConfiguration.name) as Level }))
      .toSorted((a, b) => a.object.spec.matchingPrecedence - b.object.spec.matchingPrecedence || byName(a, b))
    known = new WeakMap()
  }
  const knownOf = (user: Identity): Known => {
    const rules = schemas.map((schema) => ({ schema, rules: rulesFor(schema.object, user) })).filter((entry) => entry.rules.length > 0)
    const entry: Known = { rules, decisions: new Map() }
    known.set(user, entry)
    return entry
  }
  const decide = ({ rules }: Known, user: Identity, info: RequestInfo): Classification => {
    const match = rules.find((entry) => means(entry.rules, info))?.schema
    // The catch-all matches both groups of users; a user in neither gets it too.
    const schema = match ?? (schemas.find(({ name }) => name === 'catch-all') as Schema)
    const by = schema.object.spec.distinguisherMethod?.type
    return { schema, flow: schema.level.flow(schema.name, by === 'ByUser' ? user.name : by === 'ByNamespace' ? info.namespace : '') }
  }

  return {
    all: () => (refresh(), sorted),
    schemas: () => (refresh(), schemas),
    classify(user, info) {
      refresh()
      const about = known.get(user) ?? knownOf(user)
      const key = keyOf(info)
      // Clients choose paths freely: long ones are not cached.
      if (key.length > memorable) return decide(about, user, info)
      const before = about.decisions.get(key)
      if (before) return before
      const decision = decide(about, user, info)
      if (about.decisions.size >= remembered) about.decisions.clear()
      about.decisions.set(key, decision)
      return decision
    },
    fraction: () => fraction,
    adjust(now) {
      refresh()
      if (sorted.some((level) => level.quiescing && level.executing === 0 && level.waiting === 0)) refreshLevels()
      for (const level of sorted) {
        level.meter.pass(level, now)
        level.meter.ratios(level)
        level.wanted = level.meter.demand()
        level.demand = Math.max(level.peak, memory * level.demand + (1 - memory) * level.peak)
        level.peak = level.seats + level.waitingSeats
      }
      const limited = sorted.filter((level) => !level.exempt)
      const exempt = sorted.filter((level) => level.exempt).reduce((sum, { limits }) => sum + limits.min, 0)
      const claims = limited.map(({ limits, demand }) => ({ ...limits, demand }))
      fraction = fairFraction(claims, options.seats - exempt)
      const shares = distribute(claims, fraction)
      limited.forEach((level, i) => (level.current = shares[i] as number))
    },
  }
}

/**
 * Maintains the configuration objects: the mandatory ones always; the suggested ones are created, and maintained unless
 * `apf.kubernetes.io/autoupdate-spec` is `"false"`. Writes the `Dangling` condition of flow schemas.
 */
import { flowcontrol, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import type { Reconciler } from '../../client/controller.ts'
import { createInformers } from '../../client/informer.ts'
import { runController, watch } from '../../client/run-controller.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isAlreadyExists, isConflict } from '../../machinery/errors.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas, type Wanted } from './objects.ts'

export interface KeepOptions { readonly client: Client; readonly clock: Clock; readonly log: Logger }

export const autoUpdate = 'apf.kubernetes.io/autoupdate-spec'
const producer = { fieldManager: 'api-priority-and-fairness-config-producer-v1' }
const consumer = { fieldManager: 'api-priority-and-fairness-config-consumer-v1' }

type Specified = ApiObject & { readonly spec: object }
interface Kind<O extends Specified, I> { readonly resource: Resource<O, I>; readonly mandatory: readonly Wanted<object>[]; readonly suggested: readonly Wanted<object>[] }

const levelKind: Kind<flowcontrol.PriorityLevelConfiguration, unknown> = { resource: flowcontrol.prioritylevelconfigurations as never, mandatory: mandatoryLevels, suggested: suggestedLevels }
const schemaKind: Kind<flowcontrol.FlowSchema, unknown> = { resource: flowcontrol.flowschemas as never, mandatory: mandatorySchemas, suggested: suggestedSchemas }

const namesOf = ({ mandatory, suggested }: Pick<Kind<never, never>, 'mandatory' | 'suggested'>): readonly string[] => [...mandatory, ...suggested].map(({ name }) => name)

/** What the annotation says, in any of the ways that Kubernetes reads; undefined when it says neither. */
function saidOf({ metadata }: ApiObject): boolean | undefined {
  const text = metadata.annotations?.[autoUpdate] ?? ''
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}

/** Whether the server maintains an existing object: by its annotation, or without one, if nobody has changed the spec yet. */
const isOurs = (object: ApiObject): boolean => saidOf(object) ?? (object.metadata.generation ?? 1) === 1

/** The object as it should be; the same object when nothing changes. */
export function mended<O extends Specified>(current: O, spec: object, mandatory: boolean): O {
  const ours = mandatory || isOurs(current)
  const { metadata } = current
  const next = ours ? covering(current.spec, chosen(current.spec, spec)) : current.spec
  if (saidOf(current) === ours && next === current.spec) return current
  const annotations = saidOf(current) === ours ? metadata.annotations : { ...metadata.annotations, [autoUpdate]: String(ours) }
  return { ...current, metadata: { ...metadata, annotations }, spec: next }
}

/** Administrators may set the seats of the exempt level, and how many it lends; the rest of it is fixed. */
const chosen = (present: { readonly exempt?: object }, wanted: { readonly exempt?: object }): object => (wanted.exempt && present.exempt ? { ...wanted, exempt: present.exempt } : wanted)

/** The present spec if it equals the wanted one, apart from defaults. */
const covering = (present: object, wanted: object): object => (deepEqual(bare(present), bare(wanted)) ? present : wanted)

/** Without zero values: empty lists, false, undefined. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, bare(inner)] as const).filter(([, inner]) => inner !== undefined && inner !== false && !(Array.isArray(inner) && inner.length === 0)))
}

/** Creates or corrects one object, and returns it. Conflicts are thrown: the caller retries. */
async function keep<O extends Specified, I>(client: Client, { resource, mandatory, suggested }: Kind<O, I>, name: string, current: O | undefined): Promise<O | undefined> {
  const must = mandatory.find((wanted) => wanted.name === name)
  const wanted = must ?? suggested.find((one) => one.name === name)
  if (wanted) {
    if (!current) return client.create(resource, { metadata: { name, annotations: { [autoUpdate]: 'true' } }, spec: wanted.spec } as I, producer)
    const next = mended(current, wanted.spec, must !== undefined)
    return next === current ? current : client.update(resource, next as unknown as I, producer)
  }
  // Suggested by an older release, and no longer by this one.
  if (current && saidOf(current)) await client.delete(resource, name)
  else return current
  return undefined
}

/** The `Dangling` condition: whether the schema's level is missing. */
function danglingOf(schema: flowcontrol.FlowSchema, exists: boolean, now: number): flowcontrol.FlowSchemaCondition | undefined {
  const about = `This FlowSchema references the PriorityLevelConfiguration object named "${schema.spec.priorityLevelConfiguration.name}"`
  const [status, reason, message] = exists ? ['False', 'Found', `${about} and it exists`] : ['True', 'NotFound', `${about} but there is no such object`]
  const before = schema.status.conditions?.find(({ type }) => type === 'Dangling')
  if (before?.status === status && before.reason === reason && before.message === message) return undefined
  const since = before?.status === status ? before.lastTransitionTime : new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
  return { type: 'Dangling', status, lastTransitionTime: since as flowcontrol.FlowSchemaCondition['lastTransitionTime'], reason, message } as flowcontrol.FlowSchemaCondition
}

/** Resolves when all objects exist; maintains them until it is stopped. */
export async function startKeeping({ client, clock, log }: KeepOptions): Promise<Component> {
  const stopped = new AbortController()
  const informers = createInformers(client, { clock, log })
  const levels = informers.for(flowcontrol.prioritylevelconfigurations)
  const schemas = informers.for(flowcontrol.flowschemas)
  informers.start(stopped.signal)
  await informers.synced()
  /** In the first round, the informer has not seen the objects that were just created. */
  let beginning = true
  const exists = (name: string) => levels.get(name) !== undefined || (beginning && namesOf(levelKind).includes(name))
  const tell = async (schema: flowcontrol.FlowSchema) => {
    const condition = danglingOf(schema, exists(schema.spec.priorityLevelConfiguration.name), clock.now())
    if (!condition) return
    const others = schema.status.conditions?.filter(({ type }) => type !== 'Dangling') ?? []
    await client.updateStatus(flowcontrol.flowschemas, { ...schema, status: { ...schema.status, conditions: [...others, condition] } }, consumer)
  }
  const levelKeeper: Reconciler = { reconcile: async (name) => void (await keep(client, levelKind, name, levels.get(name))) }
  const schemaKeeper: Reconciler = {
    async reconcile(name) {
      const schema = await keep(client, schemaKind, name, schemas.get(name))
      if (schema) await tell(schema)
    },
  }
  const nameOf = ({ metadata }: ApiObject) => [metadata.name ?? '']
  const all = () => schemas.list().map(({ metadata }) => metadata.name ?? '')
  for (const [kind, keeper] of [[levelKind, levelKeeper], [schemaKind, schemaKeeper]] as const) {
    // Another server on the same store may do the same.
    await Promise.all(namesOf(kind).map((name) => keeper.reconcile(name, stopped.signal).catch((error: unknown) => {
      if (!isAlreadyExists(error) && !isConflict(error)) throw error
    })))
  }
  beginning = false
  const controllers = [
    runController({ name: 'priority-level-keeper', reconciler: levelKeeper, watches: [watch(levels, nameOf)], clock, log, concurrency: 1 }),
    runController({ name: 'flow-schema-keeper', reconciler: schemaKeeper, watches: [watch(schemas, nameOf), watch(levels, all)], clock, log, concurrency: 1 }),
  ]
  return {
    async stop() {
      stopped.abort()
      await Promise.all(controllers.map((controller) => controller.stop()))
    },
  }
}

/** Keeps what is served equal to the definitions there are: one loop that decides names, serves kinds, and ends them. */
import { apiextensions, declared, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import type { Reconciler } from '../../client/controller.ts'
import { runController } from '../../client/run-controller.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'
import type { FindWebhook } from '../admission/webhooks/endpoint.ts'
import { feed } from '../cache/feed.ts'
import type { Registry } from '../registry/registry.ts'
import { withMeta } from '../registry/meta.ts'
import { awaitsCleanup, cleanupFinalizer, deleteInstances, deletionCompleted, deletionFailed, deletionInProgress } from './cleanup.ts'
import { isEstablished, withCondition, type Definition, type Statement } from './conditions.ts'
import { customKind, prefixOfDefinition } from './kind.ts'
import { loadRules } from './schema/rules/engine.ts'
import { withStatusOf } from './status.ts'

const { customresourcedefinitions } = apiextensions

export interface DefinitionsOptions {
  readonly registry: Registry
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly find: FindWebhook
}

/** Milliseconds between two looks at what is left of a kind that goes. */
const lookAgain = 200

/** What a kind is served by: when it changes, the kind is served anew. */
interface Basis { readonly prefix: string; readonly spec: Definition['spec']; readonly names: Definition['status']['acceptedNames'] }

const basisOf = (definition: Definition): Basis => ({ prefix: prefixOfDefinition(definition), spec: definition.spec, names: definition.status.acceptedNames })

/** Whether a definition is of what the server has anyway: its objects stay what they are, whatever becomes of the definition. */
const isBuiltIn = (name: string): boolean => declared.some((resource) => resource.groupResource === name)

/** Serves kinds as their definitions say. */
function createServing({ registry, find, log }: DefinitionsOptions, current: (name: string) => Definition | undefined) {
  const served = new Map<string, Basis>()
  const withdraw = (name: string) => {
    const basis = served.get(name)
    if (!basis) return
    registry.withdraw(basis.prefix)
    served.delete(name)
  }
  return {
    withdraw,
    /** The definitions of what is served. */
    names: () => [...served.keys()],
    /** Resolves when the kind is served as the definition says, or cannot be. */
    async serve(definition: Definition): Promise<void> {
      const name = definition.metadata.name ?? ''
      if (isBuiltIn(name)) return
      const basis = basisOf(definition)
      if (deepEqual(served.get(name), basis)) return
      try {
        await loadRules(definition.spec.versions.map(({ schema }) => schema?.openAPIV3Schema))
        await registry.serve(customKind({ definition, find, current: () => current(name) }))
        served.set(name, basis)
      } catch (error) {
        log.error({ definition: name, error: error instanceof Error ? error.message : String(error) }, 'a custom kind cannot be served')
        throw error
      }
    },
  }
}

/** Serves every established kind, then follows the definitions. Resolves when what was there before is served. */
export async function startDefinitions(options: DefinitionsOptions): Promise<Component> {
  const { registry, clock, log } = options
  const cache = registry.find('apiextensions.k8s.io', 'v1', customresourcedefinitions.plural)!.cache
  const current = (name: string) => cache.get(name)?.object as Definition | undefined
  const all = () => cache.objects() as unknown as readonly Definition[]
  const serving = createServing(options, current)
  // A kind that cannot be served must not keep the others, or the server, from coming up: the loop tries it again.
  await Promise.allSettled(all().filter(isEstablished).map((definition) => serving.serve(definition)))

  const reconciler = createReconciler(options, serving, { current, all, again: (name) => controller.enqueue(name) })
  const controller = runController({ name: 'customresourcedefinitions', reconciler, watches: [], clock, log })
  const stopFeed = feed(cache, {
    changed: (name) => controller.enqueue(name),
    everything() {
      for (const definition of all()) controller.enqueue(definition.metadata.name ?? '')
      for (const name of serving.names()) controller.enqueue(name)
    },
  })
  return {
    async stop() {
      stopFeed()
      await controller.stop()
    },
  }
}

interface Definitions {
  current(name: string): Definition | undefined
  all(): readonly Definition[]
  /** Has a definition looked at again. */
  again(name: string): void
}

/** Runs what is given one after the other, for each key. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>()
  return <T>(key: string, act: () => Promise<T>): Promise<T> => {
    const mine = (last.get(key) ?? Promise.resolve()).then(act, act)
    const settled = mine.then(() => undefined, () => undefined)
    last.set(key, settled)
    void settled.then(() => last.get(key) === settled && last.delete(key))
    return mine
  }
}

function createReconciler({ registry, client, clock }: DefinitionsOptions, serving: ReturnType<typeof createServing>, { current, all, again }: Definitions): Reconciler {
  const groups = new Map<string, string>()
  const turns = createTurns()
  const write = (definition: Definition): Promise<Definition> => client.updateStatus(customresourcedefinitions, definition)
  const say = (definition: Definition, statement: Statement): Promise<Definition> => {
    const conditions = withCondition(definition.status.conditions, statement, clock.now())
    return deepEqual(conditions, definition.status.conditions) ? Promise.resolve(definition) : write({ ...definition, status: { ...definition.status, conditions } })
  }
  const othersOf = (definition: Definition) => all().filter((o) => o.spec.group === definition.spec.group && o.metadata.name !== definition.metadata.name)
  /** Names that were taken may have come free. */
  const wake = (group: string, name: string) => {
    for (const other of all()) if (other.spec.group === group && other.metadata.name !== name && other.status.conditions.some((c) => c.type === 'NamesAccepted' && c.status === 'False')) again(other.metadata.name ?? '')
  }

  async function clean(definition: Definition): Promise<{ readonly requeueAfter: number } | undefined> {
    const { group, versions, names } = definition.spec
    const resource: Resource | undefined = versions.map((v) => registry.find(group, v.name, names.plural)).find((served) => served?.custom)?.resource
    let next = definition
    if (resource && isEstablished(definition)) {
      next = await say(next, deletionInProgress)
      try {
        if (await deleteInstances(client, resource) > 0) return { requeueAfter: lookAgain }
      } catch (error) {
        await say(next, deletionFailed(error instanceof Error ? error.message : String(error)))
        throw error
      }
    }
    next = await say(next, deletionCompleted)
    const finalizers = next.metadata.finalizers?.filter((f) => f !== cleanupFinalizer) ?? []
    await client.update(customresourcedefinitions, withMeta(next as unknown as ApiObject, { finalizers: finalizers.length ? finalizers : undefined }) as unknown as Definition)
    return undefined
  }

  return {
    async reconcile(name) {
      const definition = current(name)
      if (!definition) {
        serving.withdraw(name)
        const group = groups.get(name)
        groups.delete(name)
        if (group !== undefined) wake(group, name)
        return undefined
      }
      groups.set(name, definition.spec.group)
      if (awaitsCleanup(definition)) {
        return clean(definition).catch((error: unknown) => {
          if (isNotFound(error)) return undefined
          throw error
        })
      }
      if (definition.metadata.deletionTimestamp) return undefined
      // Names are given to one definition of a group after the other.
      return turns(definition.spec.group, async () => {
        const next = withStatusOf(definition, othersOf(definition), clock.now())
        // Served first: whoever waits for the condition may create objects at once.
        if (isEstablished(next)) await serving.serve(next)
        if (next === definition) return undefined
        await write(next)
        wake(definition.spec.group, name)
        return undefined
      })
    },
  }
}

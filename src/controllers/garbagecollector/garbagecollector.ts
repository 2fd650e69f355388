/** The garbage collector: follows every resource and deletes what was owned by what is gone. */
import type { Resource } from '../../api/index.ts'
import { reflect, runController, type ApiObject, type Controller } from '../../client/index.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { collector } from './collect.ts'
import { createGraph, type Graph, type Node } from './graph.ts'

const name = 'generic-garbage-collector'
/** An object may be seen before its owner; after this long the server is asked. */
const ownerDelay = 500
/** How often the list of served resources is looked at again. */
const rediscover = 2_000
/** How long the first look at a resource may take. */
const longestSync = 30_000

/** Events own nothing and are owned by nothing; they are many. */
const collectable = (r: Resource): boolean => r.plural !== 'events' && (['list', 'watch', 'delete'] as const).every((verb) => r.verbs.includes(verb))

/** Each stored resource once, by `deployments.apps`. */
function collectables(resources: readonly Resource[]): ReadonlyMap<string, Resource> {
  const all = new Map<string, Resource>()
  for (const resource of resources) if (collectable(resource) && !all.has(resource.groupResource)) all.set(resource.groupResource, resource)
  return all
}

/** Who has to be looked at after a change of the graph. */
function createObserver(graph: Graph, enqueue: (uid: string) => void, enqueueLater: (uid: string) => void) {
  const tellOwners = (node: Node) => {
    for (const { uid } of node.owners) if (graph.get(uid)?.deletesDependents) enqueue(uid)
  }
  function put(resource: Resource, object: ApiObject): void {
    const { node, before } = graph.put(resource, object)
    if (node.orphansDependents) enqueue(node.uid)
    if (node.deletesDependents) {
      enqueue(node.uid)
      if (!before?.deletesDependents) for (const dependent of graph.dependentsOf(node.uid)) enqueue(dependent.uid)
    }
    if (before) tellOwners(before)
    if (before?.owners === node.owners) return
    if (node.owners.some(({ uid }) => graph.get(uid)?.deletesDependents)) enqueue(node.uid)
    else if (node.owners.some(({ uid }) => !graph.get(uid))) enqueueLater(node.uid)
  }
  function remove(uid: string): void {
    const node = graph.remove(uid)
    for (const dependent of graph.dependentsOf(uid)) enqueue(dependent.uid)
    if (node) tellOwners(node)
  }
  return { put, remove }
}

export function startGarbageCollector(context: ControllerContext): Controller {
  const { clock, log, signal: outer, settings } = context
  const stopping = new AbortController()
  const signal = AbortSignal.any([outer, stopping.signal])
  const graph = createGraph()
  const client = context.client(name)
  let resources: ReadonlyMap<string, Resource> = new Map()
  const observer = createObserver(graph, (uid) => controller.enqueue(uid), (uid) => controller.enqueueAfter(uid, ownerDelay))
  const following = new Map<string, { readonly apiVersion: string; readonly stop: AbortController; readonly synced: Promise<void> }>()
  let seen: readonly Resource[] | undefined

  function follow(resource: Resource): void {
    const stop = new AbortController()
    const { promise: synced, resolve } = Promise.withResolvers<void>()
    const sink = {
      replace(objects: readonly ApiObject[]) {
        const there = new Set(objects.map((object) => object.metadata.uid))
        for (const object of objects) observer.put(resource, object)
        for (const node of graph.of(resource)) if (!there.has(node.uid)) observer.remove(node.uid)
        resolve()
      },
      change(type: string, object: ApiObject) {
        if (type === 'DELETED') observer.remove(object.metadata.uid ?? '')
        else observer.put(resource, object)
      },
    }
    following.set(resource.groupResource, { apiVersion: resource.apiVersion, stop, synced })
    void reflect<ApiObject>({ client, resource: resource as Resource<ApiObject>, sink, clock, log: log.child({ controller: name }), signal: AbortSignal.any([signal, stop.signal]) })
  }

  function discover(): void {
    // Custom kinds come and go, and lose versions: each time there is a new list.
    if (settings.resources() === seen) return
    seen = settings.resources()
    resources = collectables(seen)
    for (const [id, { apiVersion, stop }] of following) {
      if (resources.get(id)?.apiVersion === apiVersion) continue
      stop.abort()
      following.delete(id)
    }
    for (const [id, resource] of resources) if (!following.has(id)) follow(resource)
  }

  const resourceOf = (apiVersion: string, kind: string) => {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
    for (const resource of settings.resources()) if (resource.kind === kind && resource.group === group && resource.verbs.includes('get')) return resource
    return undefined
  }

  async function rediscoverForEver(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(rediscover, signal).catch(() => undefined)
      if (!signal.aborted) discover()
    }
  }

  // A kind that cannot be listed (its conversion webhook is away) keeps nobody waiting for ever: owners that are not known are asked for.
  const ready = { synced: async () => { await Promise.all([...following.values()].map((f) => Promise.race([f.synced, clock.sleep(longestSync, signal).catch(() => undefined)]))) } }
  const reconciler = collector({ client, recorder: recorderOf(context, name, 'garbage-collector-controller'), graph, enqueue: (uid) => controller.enqueue(uid), resourceOf, forget: observer.remove })
  const controller = runController({ name, reconciler, watches: [], ready, clock, log, concurrency: 20, signal })
  discover()
  void rediscoverForEver()
  return {
    ...controller,
    get idle() { return controller.idle },
    async stop() {
      stopping.abort()
      await controller.stop()
    },
  }
}

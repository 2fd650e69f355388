/** All pods of the node: a worker for each, fed by changes in the API and the runtime; leftovers are removed. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../../api/index.ts'
import type { Informer } from '../../client/index.ts'
import { podUid } from '../context.ts'
import type { Container, Sandbox } from '../runtime/driver.ts'
import { admitPod } from './admission.ts'
import { label } from './names.ts'
import { createReferences } from './references.ts'
import type { Tools } from './tools.ts'
import { startWorker, type PodWorker } from './worker.ts'

export interface PodManager {
  wake(uid: string): void
  /** Stops all workers; pods keep running. */
  stop(): void
}

const relistWithEvents = 10_000
const relistAlone = 1000
const volumeRefresh = 60_000

/** Starts the manager. Pods that the runtime runs already are adopted, not restarted. Keeps `workers` by UID. */
export async function startPodManager(tools: Tools, pods: Informer<core.Pod>, workers: Map<string, PodWorker>, signal: AbortSignal): Promise<PodManager> {
  const { context } = tools
  const { runtime, log, clock } = context
  const references = createReferences(context, (uid) => { workers.get(uid)?.refreshVolumes(); workers.get(uid)?.wake() })
  const found = await relist(context)
  await pods.synced()

  const add = (pod: core.Pod): void => {
    const uid = podUid(pod)
    if (workers.has(uid)) return
    workers.set(uid, startWorker({
      tools, pod, known: found.has(uid),
      admit: (p) => admitPod(p, [...workers.values()].filter((w) => !w.isGone).map((w) => w.pod), context.node()),
      onEnd() { workers.delete(uid); references.drop(uid) },
    }))
    references.use(pod)
    workers.get(uid)?.wake()
  }
  const unsubscribe = pods.onChange(({ type, object }) => {
    const uid = podUid(object)
    if (type === 'deleted') {
      // What the pod named is no longer this node's to read.
      references.drop(uid)
      return workers.get(uid)?.gone()
    }
    const worker = workers.get(uid)
    if (!worker) return add(object)
    worker.update(object)
    references.use(object)
  })

  /** Removes what the runtime has for pods that no longer exist. */
  const removeOrphans = async (seen: ReadonlyMap<string, Seen>): Promise<void> => {
    for (const [uid, { sandboxes, containers }] of seen) {
      if (workers.has(uid)) continue
      log.info({ uid, pod: sandboxes[0]?.pod.name, namespace: sandboxes[0]?.pod.namespace }, 'removing what is left of a pod that no longer exists')
      await Promise.all(containers.filter((c) => c.state === 'running').map((c) => runtime.stopContainer(c.id, 2)))
      await Promise.all(containers.map((c) => runtime.removeContainer(c.id)))
      for (const s of sandboxes) { await runtime.stopSandbox(s.id); await runtime.removeSandbox(s.id) }
      await tools.cgroups.remove(uid)
    }
    for (const uid of await readdir(join(context.directories.data, 'pods')).catch(() => [])) if (!workers.has(uid) && !seen.has(uid)) await tools.volumes.cleanup(uid)
  }
  const careful = (what: string, work: () => Promise<void>) => work().catch((error: unknown) => log.warn({ error: String(error) }, `${what} failed, it is tried again`))
  await careful('removing leftovers', () => removeOrphans(found))

  const compare = async (): Promise<void> => {
    const seen = await relist(context)
    for (const [uid, worker] of workers) if (worker.fingerprint() !== fingerprint(seen.get(uid))) worker.changed()
    const orphans = new Map([...seen].filter(([uid]) => !workers.has(uid)))
    if (orphans.size > 0 && pods.hasSynced) await removeOrphans(orphans)
  }
  const state = { listening: false }
  const relistLoop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(state.listening ? relistWithEvents : relistAlone, signal)
      await careful('relisting the runtime', compare)
    }
  }
  const listen = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const stream = runtime.events(signal)
        if (!stream) return
        state.listening = true
        for await (const event of stream) workers.get(event.podUid)?.changed()
      } catch (error) {
        log.debug({ error: String(error) }, 'the runtime\'s event stream ended')
      }
      state.listening = false
      await clock.sleep(1000, signal).catch(() => undefined)
    }
  }
  const refreshLoop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(volumeRefresh, signal)
      for (const worker of workers.values()) if (!worker.isGone) worker.refreshVolumes()
    }
  }
  for (const loop of [relistLoop, listen, refreshLoop]) loop().catch((error: unknown) => { if (!signal.aborted) log.error({ error: String(error) }, 'a loop of the pod manager ended') })

  return {
    wake: (uid) => workers.get(uid)?.wake(),
    stop() {
      unsubscribe()
      for (const worker of workers.values()) worker.release()
    },
  }
}

interface Seen { readonly sandboxes: Sandbox[]; readonly containers: Container[] }

/** What the runtime has, by the uid of its pod; of this node only. */
async function relist({ runtime, owner }: Tools['context']): Promise<Map<string, Seen>> {
  const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()])
  const seen = new Map<string, Seen>()
  const of = (uid: string) => {
    const entry = seen.get(uid) ?? { sandboxes: [], containers: [] }
    seen.set(uid, entry)
    return entry
  }
  for (const s of sandboxes) if (s.labels[label.owner] === owner) of(s.pod.uid).sandboxes.push(s)
  for (const c of containers) if (c.labels[label.owner] === owner) of(c.labels[label.podUid] ?? '').containers.push(c)
  return seen
}

const fingerprint = (seen: Seen | undefined): string => [...(seen?.sandboxes ?? []), ...(seen?.containers ?? [])].map((x) => `${x.id}=${x.state}`).toSorted().join(' ')

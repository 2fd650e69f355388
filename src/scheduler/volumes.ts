/**
 * The volumes of a pod whose node is chosen: claims that wait for their first consumer get a volume there, or their
 * provisioner is told the node; the pod is bound once they are.
 */
import { core } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import type { Clock } from '../machinery/clock.ts'
import { bound, choose, claimNames, selectedNode } from './claims.ts'
import type { Cluster } from './plugin.ts'

/** How long claims may take to become bound, in milliseconds; after that the pod is scheduled again. */
const patience = 600_000

export interface Volumes {
  /** Volumes as the informer has them, except those just given to a claim. */
  list(): readonly core.PersistentVolume[]
  get(name: string): core.PersistentVolume | undefined
  /** Reserves volumes for the pod's claims on its node, or has them provisioned. Undefined when there is nothing to do. */
  settle(pod: core.Pod, node: core.Node, cluster: Cluster): Promise<void> | undefined
}

export interface VolumesOptions {
  readonly client: Client
  readonly clock: Clock
  readonly claims: Informer<core.PersistentVolumeClaim>
  readonly volumes: Informer<core.PersistentVolume>
  /** Aborts all waiting. */
  readonly signal: AbortSignal
}

/** The volume with a claim's name in it, as it is to be written. */
const reserved = (volume: core.PersistentVolume, { metadata }: core.PersistentVolumeClaim): core.PersistentVolume => ({
  ...volume,
  metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' } },
  spec: {
    ...volume.spec,
    claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
  },
})

export function createVolumes({ client, clock, claims, volumes, signal }: VolumesOptions): Volumes {
  /** Volumes just given to claims, which the informer does not show yet. */
  const ahead = new Map<string, { readonly was: string | undefined; readonly volume: core.PersistentVolume }>()
  const current = (volume: core.PersistentVolume): core.PersistentVolume => {
    const name = volume.metadata.name ?? ''
    const known = ahead.get(name)
    if (!known) return volume
    if (known.was === volume.metadata.resourceVersion) return known.volume
    ahead.delete(name)
    return volume
  }

  const reserve = async (volume: core.PersistentVolume, claim: core.PersistentVolumeClaim) => {
    const name = volume.metadata.name ?? ''
    const next = reserved(volume, claim)
    ahead.set(name, { was: volume.metadata.resourceVersion, volume: next })
    try {
      await client.update(core.persistentvolumes, next)
    } catch (error) {
      ahead.delete(name)
      throw error
    }
  }
  const provision = async ({ metadata: { name = '', namespace } }: core.PersistentVolumeClaim, node: string) => {
    await client.patch(core.persistentvolumeclaims, name, { type: 'merge', body: { metadata: { annotations: { [selectedNode]: node } } } }, { namespace })
  }
  /** Resolves when all claims are bound; rejects when one goes, when its provisioner gives the node back, or after ten minutes. */
  const boundAll = (keys: ReadonlySet<string>, provisioned: ReadonlySet<string>, node: string) => new Promise<void>((resolve, reject) => {
    const seen = new Set<string>()
    const finish = (done: () => void) => {
      timer.cancel()
      signal.removeEventListener('abort', abandon)
      stop?.()
      done()
    }
    const look = () => {
      for (const key of keys) {
        const claim = claims.get(key)
        if (!claim) return finish(() => reject(new Error(`binding volumes: persistentvolumeclaim ${JSON.stringify(key)} not found`)))
        const told = claim.metadata.annotations?.[selectedNode] === node
        if (told) seen.add(key)
        else if (provisioned.has(key) && seen.has(key) && !bound(claim)) return finish(() => reject(new Error('binding volumes: provisioning failed for PVC')))
      }
      if ([...keys].every((key) => bound(claims.get(key)!))) finish(resolve)
    }
    const abandon = () => finish(() => reject(signal.reason as Error))
    signal.addEventListener('abort', abandon, { once: true })
    const timer = clock.after(patience, () => finish(() => reject(new Error('binding volumes: context deadline exceeded'))))
    let stop: (() => void) | undefined
    stop = claims.onChange((change) => {
      if (keys.has(`${change.object.metadata.namespace}/${change.object.metadata.name}`) && stop) look()
    })
    look()
  })

  return {
    list: () => volumes.list().map(current),
    get: (name) => {
      const volume = volumes.get(name)
      return volume && current(volume)
    },
    settle(pod, node, cluster) {
      const keys = claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`)
      const open = keys.map((key) => claims.get(key)).filter((c) => c !== undefined && !bound(c)) as core.PersistentVolumeClaim[]
      if (!open.length) return undefined
      const chosen = choose(open, node, cluster)
      if (!chosen) return Promise.reject(new Error("binding volumes: node(s) didn't find available persistent volumes to bind"))
      const provisioned = new Set([...chosen].filter(([, volume]) => !volume).map(([claim]) => `${claim.metadata.namespace}/${claim.metadata.name}`))
      const name = node.metadata.name ?? ''
      const work = [...chosen].map(([claim, volume]) => {
        if (!volume) return provision(claim, name)
        return volume.spec.claimRef ? undefined : reserve(volume, claim)
      })
      return Promise.all(work).then(() => boundAll(new Set(keys), provisioned, name))
    },
  }
}

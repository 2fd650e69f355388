/** ConfigMaps and Secrets that pods of this node use, each watched by name while somebody uses it: a change wakes its pods. */
import { core, type Resource } from '../../api/index.ts'
import { reflect } from '../../client/reflector.ts'
import type { ApiObject } from '../../client/index.ts'
import { podNamespace, podUid, type NodeContext } from '../context.ts'

export interface References {
  /** Watches what the pod refers to, and no longer what it alone referred to before. */
  use(pod: core.Pod): void
  drop(uid: string): void
}

interface Watched { readonly users: Set<string>; readonly stop: AbortController }

/**
 * `onChange` is told the uid of each pod that refers to an object that changed or appeared. One that went is no news: it often goes shortly
 * before its pods, and what stays without it is looked at now and then anyway.
 */
export function createReferences(context: NodeContext, onChange: (uid: string) => void): References {
  const watched = new Map<string, Watched>()
  const used = new Map<string, ReadonlySet<string>>()

  const watch = <T extends ApiObject>(resource: Resource<T>, namespace: string, name: string): Watched => {
    const entry: Watched = { users: new Set(), stop: new AbortController() }
    let version: string | undefined
    const seen = (now: string | undefined) => {
      const changed = now !== undefined && version !== undefined && version !== now
      version = now ?? ''
      if (changed) for (const uid of entry.users) onChange(uid)
    }
    void reflect({
      client: context.client, resource, namespace, fieldSelector: `metadata.name=${name}`, clock: context.clock, log: context.log, signal: entry.stop.signal,
      sink: {
        replace: (objects: readonly T[]) => seen(objects[0]?.metadata.resourceVersion),
        change: (type: string, object: T) => seen(type === 'DELETED' ? undefined : object.metadata.resourceVersion),
      },
    })
    return entry
  }

  const release = (key: string, uid: string): void => {
    const entry = watched.get(key)
    entry?.users.delete(uid)
    if (!entry || entry.users.size > 0) return
    entry.stop.abort()
    watched.delete(key)
  }

  return {
    use(pod) {
      const uid = podUid(pod)
      const wanted = referencesOf(pod)
      for (const key of used.get(uid) ?? []) if (!wanted.has(key)) release(key, uid)
      for (const [key, { kind, name }] of wanted) {
        const entry = watched.get(key) ?? (kind === 'configmap' ? watch(core.configmaps, podNamespace(pod), name) : watch(core.secrets, podNamespace(pod), name))
        watched.set(key, entry)
        entry.users.add(uid)
      }
      used.set(uid, new Set(wanted.keys()))
    },
    drop(uid) {
      for (const key of used.get(uid) ?? []) release(key, uid)
      used.delete(uid)
    },
  }
}

interface Reference { readonly kind: 'configmap' | 'secret'; readonly name: string }

/** Every ConfigMap and Secret that volumes and environments of the pod name. */
export function referencesOf(pod: core.Pod): ReadonlyMap<string, Reference> {
  const found = new Map<string, Reference>()
  const add = (kind: Reference['kind'], name: string | undefined) => { if (name) found.set(`${kind}/${podNamespace(pod)}/${name}`, { kind, name }) }
  for (const v of pod.spec.volumes ?? []) {
    add('configmap', v.configMap?.name)
    add('secret', v.secret?.secretName)
    for (const source of v.projected?.sources ?? []) {
      add('configmap', source.configMap?.name)
      add('secret', source.secret?.name)
    }
  }
  for (const c of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    for (const from of c.envFrom ?? []) { add('configmap', from.configMapRef?.name); add('secret', from.secretRef?.name) }
    for (const { valueFrom } of c.env ?? []) { add('configmap', valueFrom?.configMapKeyRef?.name); add('secret', valueFrom?.secretKeyRef?.name) }
  }
  return found
}

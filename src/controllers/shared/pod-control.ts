/** Creates and deletes pods for a controller, with Kubernetes's events. */
import { core, type In } from '../../api/index.ts'
import { isNamespaceTerminating, type ApiObject, type Client, type EventRecorder } from '../../client/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { ownerReference } from '../../machinery/meta.ts'

export type PodInput = In<typeof core.Pod>

/** The pod a template describes, controlled by `owner`. Named by `owner`'s name and a suffix unless `name` is given. */
export function podFromTemplate(template: core.PodTemplateSpec, owner: ApiObject, name?: string): PodInput {
  const { labels, annotations, finalizers } = template.metadata
  return {
    metadata: {
      ...(name ? { name } : { generateName: `${owner.metadata.name}-` }),
      namespace: owner.metadata.namespace,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [ownerReference(owner)],
    },
    spec: template.spec,
  }
}

export interface PodControl {
  /** Creates a pod and records an event on the owner; throws the server's error. */
  create(pod: PodInput, owner: ApiObject): Promise<core.Pod>
  /** Deletes a pod and records an event on the owner; throws the server's error, unless the pod is gone already. */
  delete(pod: core.Pod, owner: ApiObject): Promise<void>
}

/** Pod control that writes with `client` and records events on the owner. */
export function createPodControl(client: Client, recorder: EventRecorder): PodControl {
  return {
    async create(pod, owner) {
      try {
        const created = await client.create(core.pods, pod)
        recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
        return created
      } catch (error) {
        if (!isNamespaceTerminating(error)) recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${message(error)}`)
        throw error
      }
    },
    async delete(pod, owner) {
      const { name = '', namespace = '', uid = '' } = pod.metadata
      try {
        await client.delete(core.pods, name, { namespace, preconditions: { uid } })
        recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
      } catch (error) {
        if (isNotFound(error)) return
        recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${message(error)}`)
        throw error
      }
    },
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Runs `count` calls in batches of 1, 2, 4, … and stops after a batch in which one failed: a quota or a webhook that
 * refuses all is asked once, not a thousand times. Resolves with how many succeeded and the first error.
 */
export async function slowStart(count: number, call: (index: number) => Promise<unknown>): Promise<{ readonly succeeded: number; readonly error?: unknown }> {
  let done = 0
  let succeeded = 0
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done)
    const start = done
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => call(start + i)))
    done += batch
    succeeded += results.filter((r) => r.status === 'fulfilled').length
    const failed = results.find((r) => r.status === 'rejected')
    if (failed) return { succeeded, error: failed.reason }
  }
  return { succeeded }
}

/** Pod statuses on their way to the API server: one write per pod at a time, the newest wins, nothing is sent twice. */
import { core, type JsonObject } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError, isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Logger } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { podName, podNamespace, podUid } from '../context.ts'

export interface StatusWriter {
  /** Reports this status; returns at once. */
  set(pod: core.Pod, status: core.PodStatus): void
  /** Resolves once everything set so far for the pod is written (or the pod is gone). */
  flush(uid: string): Promise<void>
  forget(uid: string): void
}

interface Entry {
  pod: core.Pod
  wanted: core.PodStatus
  sent: core.PodStatus | undefined
  busy: boolean
  writing: Promise<void> | undefined
}

const retryDelay = 1000

export function createStatusWriter(client: Client, clock: Clock, log: Logger): StatusWriter {
  const entries = new Map<string, Entry>()

  /** One write. Resolves with whether there is more to be done for the entry. */
  const write = async (entry: Entry): Promise<boolean> => {
    const { pod, wanted } = entry
    const about = { pod: podName(pod), namespace: podNamespace(pod) }
    try {
      await client.patch(core.pods, podName(pod), { type: 'strategic', body: patchBody(pod, entry.sent ?? pod.status, wanted) }, { namespace: podNamespace(pod), subresource: 'status' })
      entry.sent = wanted
      return true
    } catch (error) {
      // Gone, or another pod of that name: nobody is left to be told.
      if (isNotFound(error) || isConflict(error)) return false
      if (isApiError(error) && error.code === 422) {
        log.error({ ...about, error: error.message }, 'the API server refuses the pod\'s status')
        entry.sent = wanted
        return true
      }
      log.debug({ ...about, error: String(error) }, 'pod status not written, trying again')
      await clock.sleep(retryDelay)
      return true
    }
  }

  /** Writes until what is wanted is what was sent, and is no longer busy in the very turn that finds it so: no wish is missed. */
  const send = async (entry: Entry): Promise<void> => {
    while (entries.get(podUid(entry.pod)) === entry && !deepEqual(entry.sent, entry.wanted)) {
      if (!(await write(entry))) entries.delete(podUid(entry.pod))
    }
    entry.busy = false
  }

  return {
    set(pod, status) {
      const uid = podUid(pod)
      const entry = entries.get(uid) ?? { pod, wanted: status, sent: undefined, busy: false, writing: undefined }
      entries.set(uid, entry)
      entry.pod = pod
      entry.wanted = status
      if (!entry.sent && deepEqual(withoutNothing(pod.status), withoutNothing(status))) entry.sent = status
      if (entry.busy) return
      entry.busy = true
      entry.writing = send(entry)
    },
    async flush(uid) {
      for (let entry = entries.get(uid); entry?.busy; entry = entries.get(uid)) await entry.writing
    },
    forget(uid) { entries.delete(uid) },
  }
}

const withoutNothing = (status: core.PodStatus): unknown => JSON.parse(JSON.stringify(status))

/** What is new, and null for what is no more: conditions are merged by type, so those of others stay. */
function patchBody(pod: core.Pod, before: core.PodStatus, after: core.PodStatus): JsonObject {
  const changed: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof core.PodStatus>) {
    if (deepEqual(before[key], after[key])) continue
    if (after[key] === undefined) {
      if (ownFields.has(key)) changed[key] = null
    } else if (key === 'conditions') changed[key] = conditionsPatch(before.conditions ?? [], after.conditions ?? [])
    else changed[key] = replaced.has(key) ? [{ $patch: 'replace' }, ...(after[key] as readonly JsonObject[])] : after[key]
  }
  return { metadata: { uid: podUid(pod) }, status: changed } as unknown as JsonObject
}

/** Only the conditions that changed, without the reason or message that no longer holds: what a patch leaves out, stays. */
function conditionsPatch(before: readonly core.PodCondition[], after: readonly core.PodCondition[]): unknown[] {
  return after.flatMap((condition) => {
    const old = before.find((c) => c.type === condition.type)
    if (old && deepEqual(old, condition)) return []
    const ended = Object.keys(old ?? {}).filter((key) => condition[key as keyof core.PodCondition] === undefined)
    return [{ ...condition, ...Object.fromEntries(ended.map((key) => [key, null])) }]
  })
}

/** Lists that would otherwise be merged with what was there. */
const replaced: ReadonlySet<string> = new Set(['podIPs', 'hostIPs'])
/** What only the node writes, and so may also take away. */
const ownFields: ReadonlySet<string> = new Set(['message', 'reason', 'podIP', 'podIPs', 'hostIP', 'hostIPs', 'containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'])

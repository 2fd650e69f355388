/** The node in the API: registered, its lease renewed every ten seconds, its status told when it changes and every five minutes. */
import { coordination, core } from '../../api/index.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import type { Component } from '../../machinery/log.ts'
import { rfc3339Micro } from '../../machinery/time.ts'
import type { NodeContext } from '../context.ts'
import { readPressure } from './machine.ts'
import { conditionEvents, differs, nodeLabels, nodeStatus, statusChange, unreachable, type Health, type NodeFacts } from './node-status.ts'

const leaseSeconds = 40
const leaseEvery = 10_000
const statusEvery = 10_000
const statusAtLeast = 300_000
const leaseNamespace = 'kube-node-lease'

export interface Registration extends Component {
  /** Resolves once the node has been reported Ready. */
  readonly ready: Promise<void>
  /** Looks at the node's state now. */
  check(): void
}

/** Registers and keeps up. Resolves when the Node object exists. */
export async function register(context: NodeContext, facts: NodeFacts, signal: AbortSignal): Promise<Registration> {
  const { client, clock, log, runtime, recorder } = context
  const stopped = new AbortController()
  const ended = AbortSignal.any([signal, stopped.signal])
  const ready = Promise.withResolvers<void>()
  const reference = { kind: 'Node', apiVersion: 'v1', metadata: { name: facts.name, uid: facts.name } }
  const state: { sent: core.Node | undefined; sentAt: number; ready: boolean | undefined } = { sent: undefined, sentAt: 0, ready: undefined }

  const health = async (): Promise<Health> => {
    const [conditions, pressure] = await Promise.all([
      runtime.conditions().catch((error: unknown) => [{ type: 'RuntimeReady', ready: false, reason: unreachable, message: String(error) }]),
      readPressure([context.directories.data]),
    ])
    return { conditions, pressure }
  }

  const told = new Map(Object.keys(conditionEvents).map((type) => [type, 'False']))

  const say = (status: core.NodeStatus): void => {
    for (const [type, words] of Object.entries(conditionEvents)) {
      const now = status.conditions?.find((c) => c.type === type)?.status ?? 'False'
      const reason = words[now === 'True' ? 0 : 1]
      if (now !== told.get(type)) recorder.event(reference, 'Normal', reason, `Node ${facts.name} status is now: ${reason}`)
      told.set(type, now)
    }
    const isReady = status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
    if (isReady !== state.ready && (isReady || state.ready !== undefined)) {
      const reason = isReady ? 'NodeReady' : 'NodeNotReady'
      recorder.event(reference, 'Normal', reason, `Node ${facts.name} status is now: ${reason}`)
    }
    state.ready = isReady
    if (isReady) ready.resolve()
  }

  const report = async (): Promise<void> => {
    const images = await runtime.images().catch(() => [])
    const there = newest(context.node(), state.sent)?.status
    const status = nodeStatus(facts, await health(), images, there, clock.now())
    const booted = there?.nodeInfo?.bootID
    if (booted && booted !== facts.machine.bootID && !state.sent) recorder.event(reference, 'Warning', 'Rebooted', `Node ${facts.name} has been rebooted, boot id: ${facts.machine.bootID}`)
    if (state.sent && there && clock.now() - state.sentAt < statusAtLeast && !differs(there, status)) return
    state.sent = await client.patch(core.nodes, facts.name, { type: 'strategic', body: statusChange(there, status) }, { subresource: 'status' })
    state.sentAt = clock.now()
    say(status)
  }

  const careful = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (isNotFound(error)) await createNode(context, facts).catch((e: unknown) => log.warn({ error: String(e) }, 'node not registered again'))
      else log.warn({ error: String(error) }, `${what} failed, it is tried again`)
    }
  }

  await createNode(context, facts)
  for (const [reason, what] of [['Starting', 'Starting kubelet.'], ['NodeHasSufficientMemory', ''], ['NodeHasNoDiskPressure', ''], ['NodeHasSufficientPID', '']] as const) {
    recorder.event(reference, 'Normal', reason, what || `Node ${facts.name} status is now: ${reason}`)
  }
  await careful('reporting the node\'s status', report)

  let look = Promise.withResolvers<void>()
  const statusLoop = async (): Promise<void> => {
    while (!ended.aborted) {
      // Until the node is ready, somebody is waiting for it.
      await Promise.race([clock.sleep(state.ready ? statusEvery : 50, ended), look.promise]).catch(() => undefined)
      look = Promise.withResolvers()
      if (!ended.aborted) await careful('reporting the node\'s status', report)
    }
  }
  const leaseLoop = async (): Promise<void> => {
    while (!ended.aborted) {
      await careful('renewing the node\'s lease', () => renewLease(context, facts.name))
      await clock.sleep(leaseEvery, ended).catch(() => undefined)
    }
  }
  const loops = [statusLoop(), leaseLoop()]
  return {
    ready: ready.promise,
    check: () => look.resolve(),
    async stop() {
      stopped.abort()
      await Promise.all(loops)
    },
  }
}

/** The watch may lag behind an answer; resource versions tell. A node that the API has no more is not known by what was sent of it. */
function newest(seen: core.Node | undefined, sent: core.Node | undefined): core.Node | undefined {
  if (!seen || !sent || seen.metadata.uid !== sent.metadata.uid) return seen
  return BigInt(seen.metadata.resourceVersion ?? '0') < BigInt(sent.metadata.resourceVersion ?? '0') ? sent : seen
}

/** Creates the Node, or brings the labels of the one that is there up to date. */
async function createNode({ client }: NodeContext, facts: NodeFacts): Promise<void> {
  const labels = nodeLabels(facts)
  try {
    await client.create(core.nodes, { metadata: { name: facts.name, labels, annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } } })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await client.patch(core.nodes, facts.name, { type: 'merge', body: { metadata: { labels } } })
  }
}

async function renewLease({ client, clock, node }: NodeContext, name: string): Promise<void> {
  const renewTime = rfc3339Micro(clock.now())
  try {
    await client.patch(coordination.leases, name, { type: 'merge', body: { spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime } } }, { namespace: leaseNamespace })
  } catch (error) {
    if (!isNotFound(error)) throw error
    const uid = node()?.metadata.uid
    await client.create(coordination.leases, {
      metadata: { name, namespace: leaseNamespace, ...(uid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] } : {}) },
      spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime },
    }).catch((e: unknown) => { if (!isAlreadyExists(e)) throw e })
  }
}

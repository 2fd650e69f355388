/** ServiceCIDRs: a range that services have addresses of is not deleted under them, and says whether it may be used. */
import { networking, type In } from '../../api/index.ts'
import { runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { inCIDR, parseCIDR } from '../../machinery/names.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { conditionOf, withCondition } from '../shared/conditions.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'

export const finalizer = 'networking.k8s.io/service-cidr-finalizer'
/** The allocator may not have heard yet that the range is going: so long it is waited. */
const deletionGrace = 10_000
const blocked = 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'

type Cidr = networking.ServiceCIDR
const asInput = (cidr: Cidr) => cidr as In<typeof networking.ServiceCIDR>

/** Whether block `outer` has every address of `inner`. */
export function covers(outer: string, inner: string): boolean {
  const a = parseCIDR(outer)
  const b = parseCIDR(inner)
  return a !== undefined && b !== undefined && a.bits <= b.bits && inCIDR(outer, b.address)
}

/** Whether every address in the range that is in use belongs to another range that stays. */
export function mayGo(cidr: Cidr, others: readonly Cidr[], addresses: readonly networking.IPAddress[]): boolean {
  const staying = others.filter((o) => o.metadata.name !== cidr.metadata.name && !o.metadata.deletionTimestamp).flatMap((o) => o.spec.cidrs ?? [])
  return (cidr.spec.cidrs ?? []).every((block) => {
    if (staying.some((other) => covers(other, block))) return true
    return !addresses.some(({ metadata: { name = '' } }) => inCIDR(block, name) && !staying.some((other) => inCIDR(other, name)))
  })
}

interface Parts {
  readonly cidrs: Informer<Cidr>
  readonly addresses: Informer<networking.IPAddress>
  readonly client: Client
  readonly recorder: EventRecorder
  readonly clock: Clock
}

function serviceCidrReconciler({ cidrs, addresses, client, recorder, clock }: Parts): Reconciler {
  const say = async (cidr: Cidr, status: 'True' | 'False', reason: string, message: string) => {
    const conditions = withCondition(cidr.status.conditions, { type: 'Ready', status, reason, message, lastTransitionTime: rfc3339(clock.now()) })
    if (conditions !== cidr.status.conditions) await client.updateStatus(networking.servicecidrs, asInput({ ...cidr, status: { ...cidr.status, conditions } }))
  }
  const withFinalizers = (cidr: Cidr, finalizers: readonly string[]) => client.update(networking.servicecidrs, asInput({ ...cidr, metadata: { ...cidr.metadata, finalizers } }))

  async function leaving(cidr: Cidr, finalizers: readonly string[]) {
    if (!finalizers.includes(finalizer)) return
    if (!mayGo(cidr, cidrs.list(), addresses.list())) {
      if (conditionOf(cidr.status.conditions, 'Ready')?.reason !== 'Terminating') recorder.event(cidr, 'Warning', 'KubernetesServiceCIDRDeleteFailed', blocked)
      return say(cidr, 'False', 'Terminating', blocked)
    }
    const left = Date.parse(cidr.metadata.deletionTimestamp ?? '') + deletionGrace - clock.now()
    if (left > 0) return { requeueAfter: left }
    await withFinalizers(cidr, finalizers.filter((f) => f !== finalizer))
  }
  return {
    async reconcile(name) {
      const cidr = cidrs.get(name)
      if (!cidr) return
      const finalizers = cidr.metadata.finalizers ?? []
      if (cidr.metadata.deletionTimestamp) return leaving(cidr, finalizers)
      const kept = finalizers.includes(finalizer) ? cidr : await withFinalizers(cidr, [...finalizers, finalizer])
      if (conditionOf(kept.status.conditions, 'Ready')?.status !== 'True') await say(kept, 'True', '', 'Kubernetes Service CIDR is ready')
    },
  }
}

/** Starts the ServiceCIDR controller. */
export function startServiceCidrController(context: ControllerContext): Controller {
  const name = 'service-cidrs-controller'
  const cidrs = context.informers.for(networking.servicecidrs)
  const addresses = context.informers.for(networking.ipaddresses)
  const { clock, log, signal } = context
  /** The ranges that an address or another range may keep, or no longer keep, from going. */
  const all = () => cidrs.list().map((cidr) => cidr.metadata.name ?? '')
  const going = ({ metadata }: networking.IPAddress) => cidrs.list().filter((c) => c.metadata.deletionTimestamp && (c.spec.cidrs ?? []).some((block) => inCIDR(block, metadata.name ?? ''))).map((c) => c.metadata.name ?? '')
  return runController({
    name,
    reconciler: serviceCidrReconciler({ cidrs, addresses, client: context.client(name), recorder: recorderOf(context, name, 'service-cidr-controller'), clock }),
    watches: [watch(cidrs, ({ metadata }) => [metadata.name ?? '', ...all()]), watch(addresses, going)],
    clock, log, signal, concurrency: 1,
  })
}

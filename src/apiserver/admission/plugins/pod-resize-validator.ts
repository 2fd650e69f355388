/** A running pod asks for no more than its node has at all, and only of nodes that can change it while it runs. */
import { core } from '../../../api/index.ts'
import { ApiError, forbidden } from '../../../machinery/errors.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { quantityOf, type Quantity } from '../../../machinery/quantity.ts'
import type { ServerEnvironment } from '../../options.ts'
import { amountsOf, sum } from '../../quota/amounts.ts'
import { podAmounts } from '../../quota/pods.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { calledName, podOf, refused } from '../pods.ts'

/** What is compared, and the unit in which a refusal shows it. */
const compared = [['cpu', (amount: Quantity) => amount.milliValue()], ['memory', (amount: Quantity) => amount.value()]] as const

export function podResizeValidator(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const nodes = env.lister(core.nodes)
  return {
    name: 'PodResizeValidator',
    handles: (a) => a.operation === 'UPDATE' && a.resource.groupResource === 'pods' && a.subresource === 'resize',
    validate(a) {
      const { spec } = podOf(a)
      if (!spec.nodeName || deepEqual(spec, (a.old as unknown as core.Pod).spec)) return
      const node = nodes.get('', spec.nodeName)
      if (!node) throw refused(a, `node ${JSON.stringify(spec.nodeName)} not found`)
      const os = node.metadata.labels?.['kubernetes.io/os']
      if (os !== undefined && os !== 'linux') throw because(a, 'UnsupportedPlatform', `pod resize is only supported on linux nodes, node ${JSON.stringify(spec.nodeName)} is ${JSON.stringify(os)}`)
      const more = beyond(spec, node)
      if (more !== '') throw because(a, 'NodeCapacity', `node didn't have enough allocatable resources: ${more}`)
    },
  }
}

/** What the pod asks for beyond all that its node has for pods. */
function beyond(spec: core.PodSpec, { status }: core.Node): string {
  const asked = sum([podAmounts(spec, 'requests'), amountsOf(spec.overhead)])
  const there = amountsOf(status.allocatable)
  const none = quantityOf(0)
  return compared.flatMap(([name, shown]) => {
    const [wanted, most] = [asked.get(name) ?? none, there.get(name) ?? none]
    return wanted.compare(most) > 0 ? [`${name}, requested: ${shown(wanted)}, allocatable: ${shown(most)}`] : []
  }).join('; ')
}

/** 403 with a cause that autoscalers tell from others. */
function because(a: AdmissionAttributes, reason: string, why: string): ApiError {
  const { code, reason: kind, message, status } = forbidden(a.resource, calledName(a), why)
  return new ApiError(code, kind, message, { ...status.details, causes: [{ reason }] })
}

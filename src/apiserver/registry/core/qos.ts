/** The quality-of-service class of a pod: who is evicted first when a node runs short. */
import type { core } from '../../../api/index.ts'
import type { Quantity } from '../../../machinery/quantity.ts'
import { readQuantity } from '../amounts.ts'

const counted = ['cpu', 'memory'] as const
type Amounts = Readonly<Record<string, string>> | undefined

const amountOf = (amounts: Amounts, name: string): Quantity | undefined => {
  const quantity = readQuantity(amounts?.[name])
  return quantity && quantity.nanos > 0n ? quantity : undefined
}

/** Guaranteed: limits for cpu and memory everywhere and requests equal to them; BestEffort: neither anywhere; Burstable otherwise. */
export function qosClass(spec: core.PodSpec): core.PodQOSClass {
  const whole = spec.resources
  let asksForNothing = true
  let guaranteed = true
  const look = ({ limits, requests }: Pick<core.ResourceRequirements, 'limits' | 'requests'>): void => {
    for (const name of counted) {
      const limit = amountOf(limits, name)
      const request = amountOf(requests, name)
      if (limit || request) asksForNothing = false
      if (!limit || !request || limit.compare(request) !== 0) guaranteed = false
    }
  }
  if (whole?.limits || whole?.requests) look(whole)
  else {
    for (const container of spec.containers) look(container.resources)
    if (spec.initContainers) for (const container of spec.initContainers) look(container.resources)
  }
  if (asksForNothing) return 'BestEffort'
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

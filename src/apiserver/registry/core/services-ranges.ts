/** From which blocks addresses of services come: those the cluster was started with, and those that ServiceCIDR objects add. */
import { networking } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { ipRange, type IpRange } from './ip-range.ts'

/** The object that stands for what the cluster was started with. */
export const defaultServiceCidr = 'kubernetes'

/** Whether addresses may be taken from the range. */
export const isReady = ({ metadata, status }: networking.ServiceCIDR): boolean =>
  !metadata.deletionTimestamp && (status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false)

export interface Ranges {
  /** What the cluster was started with, one for each family; the first family is the cluster's own. */
  readonly configured: readonly IpRange[]
  /** All blocks from which addresses may be given out now. */
  current(): Promise<readonly IpRange[]>
}

/** `serviceCidr`: one block, or two of different families with a comma. Throws when they are none. */
export function createRanges(client: Client, serviceCidr: string): Ranges {
  const configured = serviceCidr.split(',').map((cidr) => ipRange(cidr.trim()))
  const known = new Map<string, IpRange>(configured.map((range) => [range.cidr, range]))
  const rangeOf = (cidr: string): IpRange => {
    const range = known.get(cidr) ?? ipRange(cidr)
    known.set(cidr, range)
    return range
  }
  return {
    configured,
    async current() {
      const { items } = await client.list(networking.servicecidrs)
      // At the very start, before the object is there and says something of itself, the cluster's own services need addresses already.
      const said = items.some(({ metadata, status }) => metadata.name === defaultServiceCidr && (metadata.deletionTimestamp || status.conditions?.some((c) => c.type === 'Ready')))
      const own = said ? [] : configured
      const blocks = items.filter(isReady).flatMap((item) => (item.spec.cidrs ?? []).map(rangeOf))
      return [...own, ...blocks]
    },
  }
}

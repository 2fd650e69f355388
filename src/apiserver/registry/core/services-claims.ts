/**
 * Addresses of services as objects: each is an IPAddress that names the service. Creating it is the claim: the store lets only
 * one object have the name.
 */
import type { Service } from '../../../api/core/v1.ts'
import { networking } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { isAlreadyExists, isNotFound } from '../../../machinery/errors.ts'
import { addressBits, addressText } from './ip-range.ts'

/** Who looks after the addresses of services, as their label says. */
export const managedBy = 'ipallocator.k8s.io'
const managedByLabel = 'ipaddress.kubernetes.io/managed-by'
const familyLabel = 'ipaddress.kubernetes.io/ip-family'

type Owner = { readonly metadata: Pick<Service['metadata'], 'namespace' | 'name'> }

/** The name of an address's object: its shortest form. */
export const nameOfAddress = (address: string): string => addressText(addressBits(address), address.includes(':') ? 'IPv6' : 'IPv4')

/** The IPAddress by which the service has the address. */
export const claimOf = (address: string, { metadata: { namespace = '', name = '' } }: Owner) => ({
  metadata: { name: nameOfAddress(address), labels: { [familyLabel]: address.includes(':') ? 'IPv6' : 'IPv4', [managedByLabel]: managedBy } },
  spec: { parentRef: { group: '', resource: 'services', namespace, name } },
})

/** Whether the service allocator made the object and looks after it. */
export const isManaged = ({ metadata }: networking.IPAddress): boolean => metadata.labels?.[managedByLabel] === managedBy

/** Whether the labels are those the allocator gives. */
export const isLabelled = (object: networking.IPAddress): boolean =>
  isManaged(object) && object.metadata.labels?.[familyLabel] === (object.metadata.name?.includes(':') ? 'IPv6' : 'IPv4')

/** Whether the address is claimed for a service. */
export const isOfService = ({ spec }: networking.IPAddress): boolean => spec.parentRef?.resource === 'services' && !spec.parentRef.group

/** Whether the object says that this service has the address. */
export const isClaimedBy = (object: networking.IPAddress, { metadata }: Owner): boolean =>
  isOfService(object) && object.spec.parentRef?.namespace === metadata.namespace && object.spec.parentRef?.name === metadata.name

export interface Claims {
  /** `claimed` now; `held` by the same service before; `taken` by something else. With `dryRun` nothing is written. */
  claim(address: string, owner: Owner, dryRun: boolean): Promise<'claimed' | 'held' | 'taken'>
  /** Gives the address up, if it is the service's. */
  release(address: string, owner: Owner): Promise<void>
}

/** Claims addresses by creating IPAddress objects. */
export function createClaims(client: Client): Claims {
  const find = (address: string) => client.get(networking.ipaddresses, nameOfAddress(address)).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  return {
    async claim(address, owner, dryRun) {
      const there = await find(address)
      if (there) return isClaimedBy(there, owner) ? 'held' : 'taken'
      if (dryRun) return 'claimed'
      try {
        await client.create(networking.ipaddresses, claimOf(address, owner))
        return 'claimed'
      } catch (error) {
        if (isAlreadyExists(error)) return 'taken'
        throw error
      }
    },
    async release(address, owner) {
      const there = await find(address)
      if (!there || !isClaimedBy(there, owner)) return
      const { uid } = there.metadata
      try {
        await client.delete(networking.ipaddresses, nameOfAddress(address), uid ? { preconditions: { uid } } : {})
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    },
  }
}

/** The status of claims: which devices were allocated, who may use them, and what their drivers say of them. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, parseCIDR } from '../../../machinery/names.ts'
import { addressBits, addressText } from '../core/ip-range.ts'
import { conditions, distinct, driverName, follows, named, oneOfThese, unchanged } from '../checks.ts'
import { nodeSelector } from '../core/validation/scheduling.ts'
import { atMost, configuration, knownRequests, oneObject, reference, requestNames, toleration } from './claims.ts'
import { bindingConditions } from './devices.ts'
import { poolName } from './names.ts'

type Named = Pick<dra.AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>

/** A device of the cluster, as one text. */
const whole = ({ driver, pool, device }: Named): string => `${driver}/${pool}/${device}`
/** A device, or the share of it. */
export const deviceKey = (value: Named): string => (value.shareID ? `${whole(value)}/${value.shareID}` : whole(value))

/** A claim with the new status alone: the rest, and what of metadata a status writer may not change, stays. */
export const ofStatus = (next: dra.ResourceClaim, current: dra.ResourceClaim): dra.ResourceClaim =>
  ({ ...current, metadata: { ...next.metadata, ownerReferences: current.metadata.ownerReferences }, status: next.status })

const results = ({ status }: dra.ResourceClaim): readonly dra.DeviceRequestAllocationResult[] => status.allocation?.devices.results ?? []

/** What drivers said of devices goes with the devices when they are given back. */
export function withoutFreed(next: dra.ResourceClaim, current: dra.ResourceClaim): dra.ResourceClaim {
  const kept = new Set(results(next).map(whole))
  const freed = new Set(results(current).map(whole).filter((key) => !kept.has(key)))
  const devices = next.status.devices ?? []
  const left = devices.filter((device) => !freed.has(whole(device)))
  return left.length === devices.length ? next : { ...next, status: { ...next.status, devices: left.length > 0 ? left : undefined } }
}

/** What is wrong with a new status. Devices that were allocated do not change. */
export function statusErrors(next: dra.ResourceClaim, current: dra.ResourceClaim, root: Place): void {
  const at = root.at('status')
  const { reservedFor, allocation, devices } = next.status
  const place = at.at('reservedFor')
  const fits = atMost(place, reservedFor, 256, (consumer, here) => {
    for (const name of ['resource', 'name', 'uid'] as const) named(here.at(name), consumer[name])
  })
  if (fits) distinct(place, reservedFor, ({ uid }) => uid)
  const allocated = new Set(results(next).map(deviceKey))
  devices?.forEach((device, i) => deviceStatus(device, at.at('devices').index(i), allocated))
  distinct(at.at('devices'), devices, deviceKey)
  if (reservedFor?.length) {
    const isNew = reservedFor.some((one) => !current.status.reservedFor?.some((other) => sameConsumer(one, other)))
    if (!allocation) place.forbidden('may not be specified when `allocated` is not set')
    else if (next.metadata.deletionTimestamp && isNew) place.forbidden('new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')
  }
  if (allocation && current.status.allocation) unchanged(at.at('allocation'), allocation, current.status.allocation)
  else if (allocation) allocationErrors(at.at('allocation'), allocation, requestNames(next.spec))
}

const sameConsumer = (a: dra.ResourceClaimConsumerReference, b: dra.ResourceClaimConsumerReference): boolean =>
  a.uid === b.uid && a.name === b.name && a.resource === b.resource && (a.apiGroup ?? '') === (b.apiGroup ?? '')

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function shareID(at: Place, value: string | undefined): void {
  if (value !== undefined && !uuid.test(value)) {
    at.invalid(value, 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters')
  }
}

const mostConfigurations = 64

/** The devices must answer requests of the claim, and be named as drivers name them. */
function allocationErrors(at: Place, allocation: dra.AllocationResult, names: ReadonlySet<string>): void {
  const place = at.at('devices')
  atMost(place.at('results'), allocation.devices.results, 32, (result, here) => {
    reference(names)(result.request, here.at('request'))
    driverName(here.at('driver'), result.driver)
    poolName(here.at('pool'), result.pool)
    follows(here.at('device'), result.device, dns1123Label)
    bindingConditions(result, here)
    atMost(here.at('tolerations'), result.tolerations, 16, toleration)
    shareID(here.at('shareID'), result.shareID)
  })
  atMost(place.at('config'), allocation.devices.config, mostConfigurations, (config, here) => {
    oneOfThese(here.at('source'), config.source, ['FromClaim', 'FromClass'])
    knownRequests(here.at('requests'), config.requests, names)
    configuration(here, config)
  })
  if (allocation.nodeSelector) nodeSelector(at.at('nodeSelector'), allocation.nodeSelector)
}

const mostConditions = 8
const largestData = 10 * 1024

/** What a driver says of one device, which must be the claim's. */
function deviceStatus(value: dra.AllocatedDeviceStatus, at: Place, allocated: ReadonlySet<string>): void {
  driverName(at.at('driver'), value.driver)
  poolName(at.at('pool'), value.pool)
  follows(at.at('device'), value.device, dns1123Label)
  shareID(at.at('shareID'), value.shareID)
  if (!allocated.has(deviceKey(value))) at.invalid(deviceKey(value), 'must be an allocated device in the claim')
  if (value.conditions.length > mostConditions) at.at('conditions').tooMany(value.conditions.length, mostConditions)
  conditions(at.at('conditions'), value.conditions)
  if (value.data !== undefined) oneObject(at.at('data'), value.data, largestData)
  if (value.networkData) network(at.at('networkData'), value.networkData)
}

function network(at: Place, { interfaceName = '', hardwareAddress = '', ips }: dra.NetworkDeviceData): void {
  if (Buffer.byteLength(interfaceName) > 256) at.at('interfaceName').tooLong(256)
  if (Buffer.byteLength(hardwareAddress) > 128) at.at('hardwareAddress').tooLong(128)
  if (atMost(at.at('ips'), ips, 16, interfaceAddress)) distinct(at.at('ips'), ips, (ip) => ip)
}

/** An address with the length of its prefix, in its canonical form. */
function interfaceAddress(value: string, at: Place): void {
  const parsed = parseCIDR(value)
  if (!parsed) return at.invalid(value, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')
  const bits = addressBits(parsed.address)
  const mapped = parsed.family === 6 && bits >> 32n === 0xffffn
  const text = mapped ? `${addressText(bits & 0xffffffffn, 'IPv4')}/${parsed.bits > 96 ? parsed.bits - 96 : parsed.bits}` : `${addressText(bits, parsed.family === 4 ? 'IPv4' : 'IPv6')}/${parsed.bits}`
  if (text !== value) at.invalid(value, `must be in canonical form (${JSON.stringify(text)})`)
}

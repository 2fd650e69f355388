/** One device in a slice: what it is like, how much it has, and from where it can be used. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../../machinery/names.ts'
import { readQuantity } from '../amounts.ts'
import { distinct, follows, named, oneOfThese } from '../checks.ts'
import { nodeSelector } from '../core/validation/scheduling.ts'
import { requestPolicy } from './capacity.ts'
import { atMost, taintEffects } from './claims.ts'
import { attributeName } from './names.ts'

const mostProperties = 32
const mostValues = 48
const longestText = 64
const semver = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

/** A device; `itself`: each device of the slice says by itself from where it can be used. `was`: what it was like before. */
export function oneDevice(device: dra.Device, at: Place, itself: boolean, was?: dra.Device): void {
  const sharedAsBefore = was !== undefined && deepEqual(device.capacity ?? {}, was.capacity ?? {})
  follows(at.at('name'), device.name, dns1123Label)
  const attributes = Object.entries(device.attributes ?? {})
  const capacities = Object.entries(device.capacity ?? {})
  const count = attributes.length + capacities.length
  if (count > mostProperties) at.invalid(count, `the total number of attributes and capacities must not exceed ${mostProperties}`)
  const values = attributes.reduce((sum, [, value]) => sum + valuesOf(value), 0)
  if (values > mostValues) at.invalid(values, `the total number of attribute values must not exceed ${mostValues}`)
  for (const [name, value] of attributes) {
    attributeName(at.at('attributes'), name)
    attribute(at.at('attributes').key(name), value)
  }
  for (const [name, value] of capacities) {
    attributeName(at.at('capacity'), name)
    if (!value.requestPolicy || sharedAsBefore) continue
    const place = at.at('capacity').key(name).at('requestPolicy')
    const whole = readQuantity(value.value)
    if (!device.allowMultipleAllocations) place.forbidden('allowMultipleAllocations must be true')
    else if (whole) requestPolicy(place, value.requestPolicy, whole)
  }
  if (!was || !deepEqual(device.taints ?? [], was.taints ?? [])) atMost(at.at('taints'), device.taints, 16, taint)
  atMost(at.at('consumesCounters'), device.consumesCounters, 2, (consumed, place) => {
    named(place.at('counterSet'), consumed.counterSet, dns1123Label)
    counters(place.at('counters'), consumed.counters)
  })
  distinct(at.at('consumesCounters'), device.consumesCounters, ({ counterSet }) => counterSet)
  places(device, at, itself)
  bindingConditions(device, at)
}

const mostCounters = 32

/** Counters of a set, or what a device takes of them. */
export function counters(at: Place, map: Readonly<Record<string, dra.Counter>> | undefined): void {
  const names = Object.keys(map ?? {})
  if (names.length === 0) at.required()
  if (names.length > mostCounters) return at.tooMany(names.length, mostCounters)
  for (const name of names) follows(at, name, dns1123Label)
}

/** How many values an attribute has. */
const valuesOf = ({ bools = [], ints = [], strings = [], versions = [] }: dra.DeviceAttribute): number => bools.length + ints.length + strings.length + versions.length || 1

/** What must be true before a pod is bound, and what gives up: both or none, and not the same. */
export function bindingConditions({ bindingConditions: wanted = [], bindingFailureConditions: failing = [] }: Pick<dra.Device, 'bindingConditions' | 'bindingFailureConditions'>, at: Place): void {
  const [first, second] = [at.at('bindingConditions'), at.at('bindingFailureConditions')]
  atMost(first, wanted, 4, (name, place) => follows(place, name, qualifiedName))
  atMost(second, failing, 4, (name, place) => follows(place, name, qualifiedName))
  distinct(first, wanted, (name) => name)
  distinct(second, failing, (name) => name)
  for (const [i, name] of failing.entries()) if (wanted.includes(name)) second.index(i).invalid(name, 'bindingFailureConditions must not overlap with bindingConditions')
  if (wanted.length === 0 && failing.length > 0) first.invalid(wanted, 'bindingConditions are required to use bindingFailureConditions')
  if (failing.length === 0 && wanted.length > 0) second.invalid(failing, 'bindingFailureConditions are required to use bindingConditions')
}

function taint(value: dra.DeviceTaint, at: Place): void {
  named(at.at('key'), value.key, qualifiedName)
  if (value.value) follows(at.at('value'), value.value, labelValue)
  oneOfThese(at.at('effect'), value.effect, taintEffects)
}

function attribute(at: Place, value: dra.DeviceAttribute): void {
  text(at.at('string'), value.string)
  version(at.at('version'), value.version)
  for (const [i, item] of (value.strings ?? []).entries()) text(at.at('strings').index(i), item)
  for (const [i, item] of (value.versions ?? []).entries()) version(at.at('versions').index(i), item)
  const said = [value.bool, value.int, value.string, value.version, value.bools, value.ints, value.strings, value.versions].filter((item) => item !== undefined).length
  if (said !== 1) at.invalid(said === 0 ? '' : value, 'exactly one value must be specified')
}

function text(at: Place, value = ''): void {
  if (Buffer.byteLength(value) > longestText) at.tooLong(longestText)
}

function version(at: Place, value: string | undefined): void {
  if (value === undefined) return
  if (!semver.test(value)) at.invalid(value, 'must be a string compatible with semver.org spec 2.0.0')
  text(at, value)
}

const onlyOne = 'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'

function places({ nodeName, nodeSelector: selector, allNodes }: dra.Device, at: Place, itself: boolean): void {
  if (!itself) {
    if (nodeName !== undefined || selector || allNodes !== undefined) at.invalid(null, '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec')
    return
  }
  if (nodeName) follows(at.at('nodeName'), nodeName, dns1123Subdomain)
  else if (nodeName === '') at.at('nodeName').invalid('', 'must not be empty')
  if (selector) nodeSelector(at.at('nodeSelector'), selector)
  if (allNodes === false) at.at('allNodes').invalid(false, 'must be either unset or set to true')
  const said = [nodeName && '`nodeName`', selector && '`nodeSelector`', allNodes && '`allNodes`'].filter(Boolean)
  if (said.length === 0) at.required(onlyOne)
  if (said.length > 1) at.invalid(`{${said.join(', ')}}`, onlyOne)
}

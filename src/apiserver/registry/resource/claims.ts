/** What claims for devices ask for, alone or in a template. */
import type { dra } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { distinct, exactlyOne, forEach, ifThere, named, type Check, type Errors } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'

const exact = <R extends dra.ExactDeviceRequest | dra.DeviceSubRequest>(request: R): R => {
  const next = orDefault<R>(request, { allocationMode: 'ExactCount' } as never)
  return next.allocationMode === 'ExactCount' ? orDefault<R>(next, { count: 1 } as never) : next
}

/** One device, unless more or all are asked for. */
export const claimDefaults = (spec: dra.ResourceClaimSpec): dra.ResourceClaimSpec => within(spec, 'devices', (devices) => within(devices, 'requests', (requests) =>
  requests.map((request) => within(within(request, 'exactly', exact), 'firstAvailable', (list) => list.map(exact)))))

export function* selectors(at: Path, list: readonly dra.DeviceSelector[] | undefined): Check {
  if ((list ?? []).length > 32) yield at.tooMany(list?.length ?? 0, 32)
  yield* forEach(at, list, function* (selector, place) {
    if (!selector.cel) yield place.at('cel').required()
    else if (!selector.cel.expression) yield place.at('cel').at('expression').required()
  })
}

export function* configuration(at: Path, value: dra.DeviceConfiguration): Check {
  if (!value.opaque) return yield at.required('exactly one field must be set: opaque')
  yield* named(at.at('opaque').at('driver'), value.opaque.driver, dns1123Subdomain)
  if (value.opaque.parameters === null) yield at.at('opaque').at('parameters').required()
}

function* request(value: dra.ExactDeviceRequest | dra.DeviceSubRequest, at: Path): Check {
  yield* named(at.at('deviceClassName'), value.deviceClassName, dns1123Subdomain)
  yield* selectors(at.at('selectors'), value.selectors)
  yield* ifThere(at.at('allocationMode'), value.allocationMode, ['All', 'ExactCount'])
  if (value.allocationMode === 'All' && value.count) yield at.at('count').invalid(value.count, "must not be specified when allocationMode is 'All'")
  if (value.allocationMode === 'ExactCount' && (value.count ?? 0) <= 0) yield at.at('count').invalid(value.count ?? 0, 'must be greater than zero')
}

/** The spec of a claim: named requests, and what must hold between them. */
export function* claimSpec(at: Path, { devices }: dra.ResourceClaimSpec): Check {
  const place = at.at('devices')
  if (devices.requests.length > 32) yield place.at('requests').tooMany(devices.requests.length, 32)
  const names = new Set<string>()
  yield* forEach(place.at('requests'), devices.requests, function* (value, here) {
    yield* named(here.at('name'), value.name, dns1123Label)
    yield* exactlyOne(here, { exactly: value.exactly, firstAvailable: value.firstAvailable }, {
      none: 'exactly one of `exactly` or `firstAvailable` is required', many: 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
    })
    names.add(value.name)
    if (value.exactly) yield* request(value.exactly, here.at('exactly'))
    yield* forEach(here.at('firstAvailable'), value.firstAvailable, function* (sub, sp) {
      yield* named(sp.at('name'), sub.name, dns1123Label)
      names.add(`${value.name}/${sub.name}`)
      yield* request(sub, sp)
    })
  })
  yield* distinct(place.at('requests'), devices.requests, (value) => value.name)
  const known = (here: Path, list: readonly string[] | undefined): Errors => forEach(here, list, function* (name, p) {
    if (!names.has(name)) yield p.invalid(name, 'must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'')
  })
  yield* forEach(place.at('constraints'), devices.constraints, function* (constraint, here) {
    yield* known(here.at('requests'), constraint.requests)
    if (constraint.matchAttribute === undefined && constraint.distinctAttribute === undefined) yield here.at('matchAttribute').required()
  })
  yield* forEach(place.at('config'), devices.config, function* (config, here) {
    yield* known(here.at('requests'), config.requests)
    yield* configuration(here, config)
  })
}

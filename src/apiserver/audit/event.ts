/** `audit.k8s.io/v1 Event`: one request at one stage, in the words of Kubernetes. */
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import type { Status } from '../../machinery/errors.ts'
import { rfc3339Micro } from '../../machinery/time.ts'
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'
import type { AuditedRequest } from '../options.ts'
import type { Level, Stage } from './policy.ts'

export interface ObjectReference {
  readonly resource?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly apiGroup?: string
  readonly apiVersion?: string
  readonly resourceVersion?: string
  readonly subresource?: string
}

/** A status as events have it: for a success hardly more than the code. */
export type EventStatus = Partial<Status> & { readonly code: number }

export interface AuditEvent {
  readonly kind: 'Event'
  readonly apiVersion: 'audit.k8s.io/v1'
  readonly level: Level
  readonly auditID: string
  readonly stage: Stage
  readonly requestURI: string
  readonly verb: string
  readonly user: object
  readonly impersonatedUser?: object
  readonly authenticationMetadata?: { readonly impersonationConstraint: string }
  readonly sourceIPs?: readonly string[]
  readonly userAgent?: string
  readonly objectRef?: ObjectReference
  readonly responseStatus?: EventStatus
  readonly requestObject?: unknown
  readonly responseObject?: unknown
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** What does not change between the stages of a request. */
export type Head = Omit<AuditEvent, 'stage' | 'stageTimestamp'>

const longestAgent = 1024

/** The beginning of every event of a request. `now` in milliseconds. */
export function headOf(request: AuditedRequest, level: Level, now: number): Head {
  const { info, headers, user } = request
  const agent = headers['user-agent'] ?? ''
  const sources = sourceAddresses(headers, request.peer)
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: request.auditId,
    requestURI: request.uri,
    verb: info.verb,
    user: userOf(user),
    ...(sources.length > 0 ? { sourceIPs: sources } : {}),
    ...(agent ? { userAgent: agent.length > longestAgent ? `${agent.slice(0, longestAgent)}...TRUNCATED` : agent } : {}),
    ...(info.isResourceRequest ? { objectRef: referenceOf(info) } : {}),
    requestReceivedTimestamp: rfc3339Micro(now),
  }
}

/** `authentication/v1.UserInfo`. */
export const userOf = ({ name, uid, groups, extra }: Identity): object => ({
  ...(name ? { username: name } : {}), ...(uid ? { uid } : {}), ...(groups.length > 0 ? { groups } : {}), ...(extra ? { extra } : {}),
})

const referenceOf = ({ resource, namespace, name, group, version, subresource }: RequestInfo): ObjectReference => ({
  resource,
  ...(namespace ? { namespace } : {}),
  ...(name ? { name } : {}),
  ...(group ? { apiGroup: group } : {}),
  ...(version ? { apiVersion: version } : {}),
  ...(subresource ? { subresource } : {}),
})

/** The reference completed by what the object that was sent says of itself. */
export function completed(reference: ObjectReference, object: unknown): ObjectReference {
  const { namespace, name, uid, resourceVersion } = (object as { metadata?: Record<string, string | undefined> } | null)?.metadata ?? {}
  const { resource, apiGroup, apiVersion, subresource } = reference
  const at = reference.namespace ?? namespace
  const called = reference.name ?? name
  return {
    ...(resource ? { resource } : {}), ...(at ? { namespace: at } : {}), ...(called ? { name: called } : {}), ...(uid ? { uid } : {}),
    ...(apiGroup ? { apiGroup } : {}), ...(apiVersion ? { apiVersion } : {}), ...(resourceVersion ? { resourceVersion } : {}), ...(subresource ? { subresource } : {}),
  }
}

/**
 * Where a request came from: every proxy that says it forwarded it, then the address at the other end of the connection, which
 * alone cannot be made up.
 */
export function sourceAddresses(headers: IncomingHttpHeaders, peer: string): readonly string[] {
  const forwarded = text(headers['x-forwarded-for'])
  const found = forwarded ? forwarded.split(',').map(address).filter((ip) => ip !== '') : []
  const real = headers['x-real-ip'] === undefined ? '' : address(text(headers['x-real-ip']))
  if (real && !found.includes(real)) found.push(real)
  const last = address(peer)
  if (last && found.at(-1) !== last) found.push(last)
  return found
}

const text = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(',') : (value ?? ''))

/** The address in a text, without the prefix of IPv4 in IPv6; '' when it is none. */
function address(given: string): string {
  const trimmed = given.trim().replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(trimmed) ? trimmed : ''
}

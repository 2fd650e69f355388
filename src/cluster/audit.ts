/** Audit: kube-apiserver's flags `audit-…` as a policy and backends. */
import { dirname } from 'node:path'
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/log.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { createAudit, type Audit } from '../apiserver/audit/audit.ts'
import type { AuditBackend, Mode } from '../apiserver/audit/backend.ts'
import type { BatchOptions } from '../apiserver/audit/batch.ts'
import { createLogBackend } from '../apiserver/audit/log-backend.ts'
import { parsePolicy } from '../apiserver/audit/policy.ts'
import { createWebhookBackend } from '../apiserver/audit/webhook-backend.ts'
import { argumentBoolean, argumentDuration, argumentFile, argumentNumber, type ApiServerArguments } from './apiserver-arguments.ts'
import { UserError } from './user-error.ts'

interface Environment { readonly clock: Clock; readonly log: Logger }

const modes: readonly string[] = ['batch', 'blocking', 'blocking-strict']

function modeOf(given: ApiServerArguments | undefined, backend: string, standard: Mode): Mode {
  const text = given?.[`audit-${backend}-mode`]
  if (text === undefined) return standard
  if (!modes.includes(text)) throw new UserError(`audit-${backend}-mode: "${text}" is not one of ${modes.join(', ')}`)
  return text as Mode
}

function batchOf(given: ApiServerArguments | undefined, backend: string, maxSize: number, throttled: boolean): Pick<BatchOptions, 'bufferSize' | 'maxSize' | 'maxWait' | 'throttle'> {
  const number = (name: string, standard: number) => {
    const value = argumentNumber(given, `audit-${backend}-batch-${name}`) ?? standard
    if (value <= 0) throw new UserError(`audit-${backend}-batch-${name}: must be a positive number`)
    return value
  }
  const throttle = { qps: number('throttle-qps', 10), burst: number('throttle-burst', 15) }
  return {
    bufferSize: number('buffer-size', 10_000),
    maxSize: number('max-size', maxSize),
    maxWait: argumentDuration(given, `audit-${backend}-batch-max-wait`) ?? 30_000,
    throttle: (argumentBoolean(given, `audit-${backend}-batch-throttle-enable`) ?? throttled) ? throttle : undefined,
  }
}

/** The size limits of an event and of a batch, in bytes, if any. */
function limitsOf(given: ApiServerArguments | undefined, backend: string): { readonly maxEventSize?: number; readonly maxBatchSize?: number } {
  if (argumentBoolean(given, `audit-${backend}-truncate-enabled`) !== true) return {}
  const maxEventSize = argumentNumber(given, `audit-${backend}-truncate-max-event-size`) ?? 100 * 1024
  const maxBatchSize = argumentNumber(given, `audit-${backend}-truncate-max-batch-size`) ?? 10 * 1024 * 1024
  if (maxEventSize < 1) throw new UserError(`audit-${backend}-truncate-max-event-size: must be at least 1`)
  if (maxBatchSize < maxEventSize) throw new UserError(`audit-${backend}-truncate-max-batch-size: must be at least the size of an event, ${maxEventSize}`)
  return { maxEventSize, maxBatchSize }
}

/** What the arguments ask for; undefined without a policy or without a backend: then nothing is audited. Throws `UserError`. */
export async function auditOf(given: ApiServerArguments | undefined, env: Environment): Promise<Audit | undefined> {
  const text = argumentFile(given, 'audit-policy-file')
  const wanted = given?.['audit-log-path'] !== undefined || given?.['audit-webhook-config-file'] !== undefined
  if (text === undefined) {
    if (wanted) env.log.warn({}, 'there is no audit-policy-file: no audit events will be written')
    return undefined
  }
  const policy = said(`audit-policy-file: ${given?.['audit-policy-file']}`, () => parsePolicy(text))
  const backends = [logBackend(given, env), await webhookBackend(given, env)].filter((backend) => backend !== undefined)
  if (backends.length === 0) {
    env.log.warn({}, 'there is an audit policy, but neither audit-log-path nor audit-webhook-config-file: no audit events will be written')
    return undefined
  }
  return createAudit({ policy, backends, ...env })
}

function said<T>(subject: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new UserError(`${subject}: ${(error as Error).message}`)
  }
}

function logBackend(given: ApiServerArguments | undefined, env: Environment): AuditBackend | undefined {
  const path = given?.['audit-log-path']
  if (path === undefined) return undefined
  const format = given?.['audit-log-format'] ?? 'json'
  if (format !== 'json') throw new UserError(`audit-log-format: "${format}" is not supported; json is`)
  return said('audit-log-path', () => createLogBackend({
    path,
    mode: modeOf(given, 'log', 'blocking'),
    maxSize: argumentNumber(given, 'audit-log-maxsize') ?? 0,
    maxAge: argumentNumber(given, 'audit-log-maxage') ?? 0,
    maxBackups: argumentNumber(given, 'audit-log-maxbackup') ?? 0,
    compress: argumentBoolean(given, 'audit-log-compress') ?? false,
    batch: batchOf(given, 'log', 1, false),
    ...limitsOf(given, 'log'),
    ...env,
  }))
}

async function webhookBackend(given: ApiServerArguments | undefined, env: Environment): Promise<AuditBackend | undefined> {
  const path = given?.['audit-webhook-config-file']
  const text = argumentFile(given, 'audit-webhook-config-file')
  if (path === undefined || text === undefined) return undefined
  const target = await parseKubeconfig(text, { folder: dirname(path) }).catch((error: Error) => {
    throw new UserError(`audit-webhook-config-file: ${path}: ${error.message}`)
  })
  return createWebhookBackend({
    target,
    mode: modeOf(given, 'webhook', 'batch'),
    batch: batchOf(given, 'webhook', 400, true),
    ...limitsOf(given, 'webhook'),
    initialBackoff: argumentDuration(given, 'audit-webhook-initial-backoff') ?? 10_000,
    ...env,
  })
}

/** `/healthz`, `/livez`, `/readyz`: is the server well, should it be restarted, may it be given work. */
import type { Handler } from '../http/request.ts'
import { sendText } from '../reply.ts'
import { ApiError } from '../../machinery/errors.ts'

export interface HealthCheck {
  readonly name: string
  /** Which of the three endpoints ask it; all when left out. */
  readonly of?: readonly Endpoint[]
  /** Throws, or rejects, with what is wrong. */
  check(): Promise<void> | void
}

export type Endpoint = 'healthz' | 'livez' | 'readyz'

/** A check slower than this counts as failed, so that one stuck check does not hide the others' answers. */
const patience = 5_000

/**
 * The handler of an endpoint and of the checks under it (`/readyz/etcd`). `?verbose` lists the checks, `?exclude=name` leaves one out;
 * a failure answers 500 with the list, without the causes, as anybody may ask.
 */
export function createHealth(endpoint: Endpoint, checks: () => readonly HealthCheck[]): Handler {
  return async (request, response) => {
    const mine = checks().filter((c) => c.of?.includes(endpoint) ?? true)
    const wanted = request.info.path.split('/')[2]
    if (wanted) {
      const one = mine.find((c) => c.name === wanted)
      if (!one) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
      const failure = await failureOf(one)
      return failure ? sendText(response, 500, `internal server error: ${failure}\n`) : sendText(response, 200, 'ok')
    }
    const excluded = new Set(request.query.getAll('exclude'))
    const results = await Promise.all(mine.map(async (c) => ({ name: c.name, excluded: excluded.has(c.name), failed: !excluded.has(c.name) && (await failureOf(c)) !== undefined })))
    const unknown = [...excluded].filter((name) => !mine.some((c) => c.name === name)).map((name) => `warn: some health checks cannot be excluded: no matches for "${name}"\n`)
    const lines = results.map((r) => (r.excluded ? `[+]${r.name} excluded: ok\n` : r.failed ? `[-]${r.name} failed: reason withheld\n` : `[+]${r.name} ok\n`))
    const report = [...lines, ...unknown].join('')
    const headers = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache, private' }
    if (results.some((r) => r.failed)) return sendText(response, 500, `${report}${endpoint} check failed\n`, undefined, headers)
    sendText(response, 200, request.query.has('verbose') ? `${report}${endpoint} check passed\n` : 'ok', undefined, headers)
  }
}

async function failureOf(check: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), patience)
  })
  try {
    await Promise.race([check.check(), late])
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}

/** The body of a request, whole, up to a limit; YAML as JSON. */
import { badRequest, tooLarge } from '../../machinery/errors.ts'
import { yamlToJson } from '../../machinery/yaml-json.ts'
import { noteRepeated } from '../encoding/repeated.ts'
import type { ApiRequest } from './request.ts'

/** What Kubernetes takes, and etcd with it. */
const bodyLimit = 3 * 1024 * 1024

const sayTooLarge = () => tooLarge(`Request entity too large: limit is ${bodyLimit}`)

const nothing = Buffer.alloc(0)

/**
 * Reads the body, at once when all of it has come; what is YAML becomes JSON. Throws `ApiError` 413 when it is larger than 3 MiB, 400 when it
 * breaks off or is no YAML.
 */
export function readBody({ raw, query }: Pick<ApiRequest, 'raw' | 'query'>): Promise<Buffer> | Buffer {
  const type = raw.headers['content-type']
  if (!type?.includes('yaml')) return readBytes(raw)
  return asJson(readBytes(raw), type, query.get('fieldValidation') !== 'Ignore')
}

/** Most clients that say YAML send JSON, which is YAML as well. */
function isJson(bytes: Buffer): boolean {
  if (bytes[0] !== 0x7b) return false
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}

async function asJson(body: Promise<Buffer> | Buffer, type: string, repeated: boolean): Promise<Buffer> {
  const bytes = await body
  if (bytes.length === 0 || isJson(bytes)) return bytes
  const saying = type.startsWith('application/apply-patch') ? 'error decoding YAML' : 'yaml'
  try {
    const made = await yamlToJson(bytes.toString(), { repeated })
    const json = Buffer.from(made.json)
    noteRepeated(json, made.repeated)
    return json
  } catch (error) {
    // The first line says where; the others quote what stands there, which may be a secret's.
    throw badRequest(`${saying}: ${(error as Error).message.split('\n', 1)[0]?.replace(/:$/, '')}`)
  }
}

function readBytes(raw: ApiRequest['raw']): Promise<Buffer> | Buffer {
  const announced = Number(raw.headers['content-length'] ?? 0)
  if (announced > bodyLimit) throw sayTooLarge()
  // Nothing was announced, or all of it was read: no event will come.
  if (raw.readableEnded) return nothing
  const broken = () => badRequest('unable to read the request body: unexpected EOF')
  // A client that left before anybody read: no event would ever come.
  if (raw.destroyed) throw broken()
  // While a request waits for its turn its body mostly comes. (What HTTP/2 calls complete is something else.)
  if (raw.complete && !('stream' in raw)) return (raw.read() as Buffer | null) ?? nothing
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    raw.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bodyLimit) return void chunks.push(chunk)
      raw.pause()
      reject(sayTooLarge())
    })
    raw.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    raw.on('error', (error: Error) => reject(badRequest(`unable to read the request body: ${error.message}`)))
    raw.on('close', () => void (raw.readableEnded || reject(broken())))
  })
}

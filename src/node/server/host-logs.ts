/** `/logs/`: the host's `/var/log` as files and lists of them, as the kubelet serves it to those who may see a node's logs. */
import { constants } from 'node:fs'
import { open, readdir, realpath, type FileHandle } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { sendFile } from './send-file.ts'

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', '\'': '&#39;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => escapes[character]!)

const notFound = (response: ServerResponse): void => void response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')

/**
 * Answers a GET of `/logs/<path>` from below `root`. Links are followed while they stay there: a pod that may write into `/var/log` must not
 * make the node show its other files. Pipes and devices are not there either.
 */
export async function serveHostLogs(root: string, request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
  const wanted = decoded(pathname.replace(/^\/logs\/?/, '').replace(/\/+$/, ''))
  const file = wanted === undefined ? undefined : await openBelow(root, wanted)
  if (!file) return notFound(response)
  try {
    const stat = await file.stat()
    if (stat.isDirectory()) {
      // Without the slash at its end, the links of the list would lead elsewhere.
      if (!pathname.endsWith('/')) return void response.writeHead(301, { location: `${pathname.slice(pathname.lastIndexOf('/') + 1)}/` }).end()
      return void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(await listing(join(root, wanted!)))
    }
    if (!stat.isFile()) return notFound(response)
    if (pathname.endsWith('/')) return void response.writeHead(301, { location: `../${encodeURIComponent(pathname.split('/').at(-2)!)}` }).end()
    await sendFile(file, { type: await typeOf(file), size: stat.size, modified: stat.mtime }, request, response)
  } finally {
    await file.close()
  }
}

function decoded(path: string): string | undefined {
  try {
    const text = decodeURIComponent(path)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined // no path that a file could have
  }
}

/** Opens what the path leads to if that lies below the root; undefined when it does not, or is not there. */
async function openBelow(root: string, path: string): Promise<FileHandle | undefined> {
  try {
    const [top, real] = await Promise.all([realpath(root), realpath(join(root, path))])
    const inside = (found: string): boolean => found === top || found.startsWith(`${top}/`)
    if (!inside(real)) return undefined
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    // A directory on the way may have become a link in the meantime: what counts is what was opened.
    if (inside(await realpath(`/proc/self/fd/${file.fd}`).catch(() => ''))) return file
    await file.close()
    return undefined
  } catch {
    return undefined // what cannot be opened is not there for those who ask
  }
}

async function listing(directory: string): Promise<string> {
  const names = (await readdir(directory, { withFileTypes: true })).map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).toSorted()
  const links = names.map((name) => `<a href="${escaped(name.split('/').map(encodeURIComponent).join('/'))}">${escaped(name)}</a>\n`)
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`
}

/** Text, unless its beginning says otherwise. */
async function typeOf(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0)
  const beginning = buffer.subarray(0, bytesRead)
  if (beginning[0] === 0x1f && beginning[1] === 0x8b) return 'application/x-gzip'
  return beginning.includes(0) ? 'application/octet-stream' : 'text/plain; charset=utf-8'
}

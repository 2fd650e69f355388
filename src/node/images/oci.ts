/** An image archive of directories and layer files that are there already. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeImageArchive, type ImageConfig } from './archive.ts'
import { packTree } from './rootfs.ts'

export interface OciImageOptions {
  /** A directory with the whole file system, or tar files with one layer each, the lowest first. */
  readonly rootfs: string | readonly string[]
  readonly config: ImageConfig
  readonly tag: string
  /** The archive to write: an OCI layout that is a `docker load` archive as well. */
  readonly output: string
  /** Milliseconds since the epoch; left out: the beginning of it, so that the same files give the same bytes. */
  readonly createdAt?: number
}

/** Writes the archive; resolves with the image's full name. */
export async function buildOciImage({ rootfs, ...image }: OciImageOptions): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'skiff-oci-'))
  try {
    const layers = await Promise.all([rootfs].flat().map(async (source, i) => {
      if (!(await stat(source)).isDirectory()) return { file: source }
      const file = join(work, `${i}.tar`)
      await packTree(source, file)
      return { file }
    }))
    return (await writeImageArchive({ layers, ...image })).name
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

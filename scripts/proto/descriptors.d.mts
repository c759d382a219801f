import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';

export const TENSORFLOW_VERSION: string;
export const ROOTS: readonly string[];
export function cacheFolder(): string;
export function extractDescriptors(source: string): Promise<Buffer>;
export function descriptorSet(): Promise<{ source: string; bytes: Buffer }>;
export function filesOf(bytes: Uint8Array): Map<string, FileDescriptorProto>;
export function comparable(file: FileDescriptorProto): FileDescriptorProto;

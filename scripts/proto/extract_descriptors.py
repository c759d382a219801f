#!/usr/bin/env python3
"""Protobuf descriptors out of a TensorFlow wheel, with no TensorFlow and no protobuf library loaded.

The wheel ships no .proto files. Each of its *_pb2.py modules holds its file's serialized FileDescriptorProto as a
literal; this reads those literals (and runs nothing) and writes the FileDescriptorSet of the
files that were asked for and everything they import, dependencies first, as protoc wants it.

    extract_descriptors.py WHEEL_OR_FOLDER OUT ROOT.proto [ROOT.proto ...]

WHEEL_OR_FOLDER is a .whl, or a folder that holds the installed package `tensorflow`. Files under google/protobuf/
are left out: protobuf itself brings them.
"""

import ast
import os
import sys
import zipfile


def modules(source):
    """Texts of all *_pb2.py modules in a wheel or in a folder."""
    if os.path.isdir(source):
        for folder, _, names in sorted(os.walk(source)):
            for name in sorted(names):
                if name.endswith("_pb2.py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        yield file.read()
    else:
        with zipfile.ZipFile(source) as wheel:
            for name in sorted(wheel.namelist()):
                if name.endswith("_pb2.py"):
                    yield wheel.read(name).decode("utf-8")


def serialized_file(text):
    """The file's bytes: given to AddSerializedFile, in older modules as serialized_pb of a FileDescriptor. Or None."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        function = getattr(node.func, "attr", None)
        given = []
        if function == "AddSerializedFile":
            given = node.args[:1]
        elif function == "FileDescriptor":
            given = [keyword.value for keyword in node.keywords if keyword.arg == "serialized_pb"]
        for value in given:
            # Of Python 2's days: a call that encodes a text as latin-1.
            wrapped = value.args[0] if isinstance(value, ast.Call) and value.args else value
            if isinstance(wrapped, ast.Constant) and isinstance(wrapped.value, (bytes, str)):
                literal = wrapped.value
                return literal if isinstance(literal, bytes) else literal.encode("latin-1")
    return None


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def encoded(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def name_and_imports(descriptor):
    """Fields 1 (name) and 3 (dependency) of a FileDescriptorProto."""
    name, imports, at = "", [], 0
    while at < len(descriptor):
        tag, at = varint(descriptor, at)
        length, at = varint(descriptor, at)
        if tag & 7 == 0:  # a number, read as `length`; nothing follows it
            continue
        if tag & 7 != 2:
            raise ValueError(f"unexpected wire type {tag & 7} in a file descriptor")
        value = descriptor[at : at + length]
        at += length
        if tag >> 3 == 1:
            name = value.decode()
        elif tag >> 3 == 3:
            imports.append(value.decode())
    return name, imports


def closure(files, roots):
    """Names of the roots and all they import, each after its imports."""
    order, seen = [], set()

    def visit(name, wanted_by):
        if name in seen or name.startswith("google/protobuf/"):
            return
        seen.add(name)
        if name not in files:
            raise KeyError(f"{name}, imported by {wanted_by}, is in no *_pb2.py module")
        for other in files[name][1]:
            visit(other, name)
        order.append(name)

    for root in roots:
        visit(root, "the list of wanted files")
    return order


def main(source, out, roots):
    files = {}
    for text in modules(source):
        descriptor = serialized_file(text)
        if descriptor is not None:
            name, imports = name_and_imports(descriptor)
            files[name] = (descriptor, imports)
    if not files:
        raise ValueError(f"no *_pb2.py modules in {source}")
    with open(out, "wb") as file:
        for name in closure(files, roots):
            descriptor = files[name][0]
            file.write(b"\x0a" + encoded(len(descriptor)) + descriptor)  # FileDescriptorSet.file


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

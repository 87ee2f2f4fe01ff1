// SPDX-License-Identifier: MIT
// The Dart VM runs, with asynchronous code, isolates and FFI: what the hosts' tests stand on.
import 'dart:ffi';
import 'dart:io';
import 'dart:isolate';

Future<void> main(List<String> arguments) async {
  final sum = await Isolate.run(() => 40 + 2);
  final library = DynamicLibrary.open(arguments.single);
  final version = library
      .lookupFunction<Pointer<Uint8> Function(), Pointer<Uint8> Function()>('cw_version')();
  final text = StringBuffer();
  for (var i = 0; version[i] != 0; i++) {
    text.writeCharCode(version[i]);
  }
  stdout.writeln('$sum causeway $text');
}

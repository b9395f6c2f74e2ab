//! Writes pickles of protocol 2 as scikit-learn and `NumPy` do, for models made in code.

#![allow(clippy::unwrap_used, reason = "the numbers are small")]

/// A pickle in the making.
#[derive(Debug, Default)]
pub struct PickleWriter(Vec<u8>);

impl PickleWriter {
    pub fn new() -> Self {
        Self(vec![0x80, 2])
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.0.push(b'.');
        self.0
    }

    /// Opcodes as they are.
    pub fn raw(&mut self, opcodes: &[u8]) {
        self.0.extend(opcodes);
    }

    /// Remembers the value on top of the stack under a number.
    pub fn remember(&mut self, number: u8) {
        self.raw(&[b'q', number]);
    }

    /// The value remembered under a number.
    pub fn recall(&mut self, number: u8) {
        self.raw(&[b'h', number]);
    }

    pub fn none(&mut self) {
        self.0.push(b'N');
    }

    pub fn boolean(&mut self, value: bool) {
        self.0.push(if value { 0x88 } else { 0x89 });
    }

    pub fn integer(&mut self, value: i32) {
        self.0.push(b'J');
        self.0.extend(value.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.0.push(b'X');
        self.sized(text.as_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.push(b'B');
        self.sized(bytes);
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.0.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        self.0.extend(bytes);
    }

    pub fn name(&mut self, module: &str, name: &str) {
        self.0.extend(format!("c{module}\n{name}\n").bytes());
    }

    pub fn tuple(&mut self, items: impl FnOnce(&mut Self)) {
        self.0.push(b'(');
        items(self);
        self.0.push(b't');
    }

    pub fn list(&mut self, items: impl FnOnce(&mut Self)) {
        self.0.extend(b"](");
        items(self);
        self.0.push(b'e');
    }

    /// A dictionary; `entries` writes keys and values in turn.
    pub fn dict(&mut self, entries: impl FnOnce(&mut Self)) {
        self.0.extend(b"}(");
        entries(self);
        self.0.push(b'u');
    }

    /// An instance of a class with the attributes that `entries` writes, and scikit-learn's version.
    pub fn estimator(&mut self, module: &str, class: &str, entries: impl FnOnce(&mut Self)) {
        self.name(module, class);
        self.0.extend(b")\x81");
        self.dict(|pickle| {
            entries(pickle);
            pickle.text("_sklearn_version");
            pickle.text("1.5.2");
        });
        self.0.push(b'b');
    }

    /// What a function would make of arguments, with a state.
    pub fn reduce(
        &mut self,
        module: &str,
        name: &str,
        arguments: impl FnOnce(&mut Self),
        state: impl FnOnce(&mut Self),
    ) {
        self.name(module, name);
        self.tuple(arguments);
        self.0.push(b'R');
        state(self);
        self.0.push(b'b');
    }

    /// A simple type such as `f8`.
    pub fn dtype(&mut self, code: &str) {
        self.record_dtype(code, &[]);
    }

    /// A type with fields of (name, code, offset), or none.
    pub fn record_dtype(&mut self, code: &str, fields: &[(&str, &str, i32)]) {
        let arguments = |pickle: &mut Self| {
            pickle.text(code);
            pickle.boolean(false);
            pickle.boolean(true);
        };
        self.reduce("numpy", "dtype", arguments, |pickle| {
            pickle.tuple(|pickle| {
                pickle.integer(3);
                pickle.text("<");
                pickle.none();
                pickle.fields(fields);
                pickle.integer(-1);
                pickle.integer(-1);
                pickle.integer(0);
            });
        });
    }

    fn fields(&mut self, fields: &[(&str, &str, i32)]) {
        if fields.is_empty() {
            self.none();
            return self.none();
        }
        self.tuple(|pickle| fields.iter().for_each(|(name, _, _)| pickle.text(name)));
        self.dict(|pickle| {
            for (name, code, offset) in fields {
                pickle.text(name);
                pickle.tuple(|pickle| {
                    pickle.dtype(code);
                    pickle.integer(*offset);
                });
            }
        });
    }

    /// An array in C order.
    pub fn array(&mut self, shape: &[usize], dtype: impl FnOnce(&mut Self), data: &[u8]) {
        let arguments = |pickle: &mut Self| {
            pickle.name("numpy", "ndarray");
            pickle.tuple(|pickle| pickle.integer(0));
            pickle.bytes(b"b");
        };
        self.reduce("numpy.core.multiarray", "_reconstruct", arguments, |pickle| {
            pickle.tuple(|pickle| {
                pickle.integer(1);
                pickle.tuple(|pickle| {
                    for len in shape {
                        pickle.integer(i32::try_from(*len).unwrap());
                    }
                });
                dtype(pickle);
                pickle.boolean(false);
                pickle.bytes(data);
            });
        });
    }

    pub fn floats(&mut self, shape: &[usize], values: &[f64]) {
        let data: Vec<_> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.array(shape, |pickle| pickle.dtype("f8"), &data);
    }

    pub fn integers(&mut self, values: &[i64]) {
        let data: Vec<_> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.array(&[values.len()], |pickle| pickle.dtype("i8"), &data);
    }
}

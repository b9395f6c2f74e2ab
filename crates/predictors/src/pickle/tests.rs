//! Tests of the machine: what opcodes describe, and what is refused.

use super::{Error, Node, Pickle, parse};

const MAX_VALUES: usize = 10_000;

fn read(bytes: &[u8]) -> Pickle<'_> {
    parse(bytes, MAX_VALUES).unwrap()
}

/// The value in a short form: `(1, ['a'], {'b': None})`.
fn describe(bytes: &[u8]) -> String {
    let pickle = read(bytes);
    describe_node(&pickle, pickle.root())
}

fn describe_node(pickle: &Pickle<'_>, id: super::NodeId) -> String {
    let all = |ids: &[super::NodeId]| ids.iter().map(|id| describe_node(pickle, *id)).collect::<Vec<_>>().join(", ");
    match pickle.node(id) {
        Node::None => "None".to_owned(),
        Node::Boolean(value) => value.to_string(),
        Node::Integer(value) => value.to_string(),
        Node::BigInteger => "big".to_owned(),
        Node::Float(value) => format!("{value:?}"),
        Node::Text(_) | Node::DecodedText(_) => format!("'{}'", pickle.text(id).unwrap()),
        Node::Bytes(_) | Node::DecodedBytes(_) => format!("b'{}'", pickle.text(id).unwrap()),
        Node::Tuple(ids) => format!("({})", all(ids)),
        Node::List(ids) => format!("[{}]", all(ids)),
        Node::Set(ids) => format!("{{{}}}", all(ids)),
        Node::Dict(entries) => {
            let entry = |(key, value): &(super::NodeId, super::NodeId)| {
                format!("{}: {}", describe_node(pickle, *key), describe_node(pickle, *value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Node::Name(_) => pickle.name(id).unwrap().display(),
        Node::Object(object) => {
            let state = object.state.map_or_else(String::new, |id| describe_node(pickle, id));
            format!("{}{}{state}", all(&[object.callee]), all(&[object.arguments]))
        }
        Node::InlineArray(array) => format!("array{:?}", array.shape),
    }
}

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    assert_eq!(describe(bytes), expected, "{}", bytes.escape_ascii());
}

#[track_caller]
fn check_error(bytes: &[u8], words: &str) {
    let error = parse(bytes, MAX_VALUES).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn binary_opcodes_describe_values() {
    check(b"\x80\x04K\x01M\x00\x01J\xff\xff\xff\xff\x87.", "(1, 256, -1)");
    check(b"\x80\x02\x8a\x00\x8a\x02\xff\x00\x86.", "(0, 255)");
    check(b"G?\xf8\x00\x00\x00\x00\x00\x00\x88N\x87.", "(1.5, true, None)");
    check(b"\x8c\x01a\x8d\x01\x00\x00\x00\x00\x00\x00\x00bC\x01c\x87.", "('a', 'b', b'c')");
    check(b"\x95\x01\x00\x00\x00\x00\x00\x00\x00N.", "None");
}

#[test]
fn text_opcodes_of_protocol_0_describe_values() {
    check(b"(I1\nI01\nL12L\nF1.5\nS'a'\nVb\n(lp0\nt.", "(1, true, 12, 1.5, b'a', 'b', [])");
    check(b"(Va\nI1\nd.", "{'a': 1}");
    check(b"(dp0\nVa\nI1\nsVb\nI2\ns.", "{'a': 1, 'b': 2}");
}

#[test]
fn collections_are_filled_where_they_stand() {
    check(b"](K\x01K\x02eK\x03a.", "[1, 2, 3]");
    check(b"}(\x8c\x01aK\x01\x8c\x01bK\x02u.", "{'a': 1, 'b': 2}");
    check(b"\x8f(K\x01K\x02\x90.", "{1, 2}");
    check(b"(K\x01\x91.", "{1}");
}

#[test]
fn a_memoised_value_is_one_value_wherever_it_stands() {
    check(b"]\x94h\x00K\x05a\x86.", "([5], [5])");
    check(b"]q\x07K\x05aj\x07\x00\x00\x00\x86.", "([5], [5])");
}

#[test]
fn marks_and_pops_leave_the_stack_as_python_does() {
    check(b"K\x01(K\x02K\x031.", "1");
    check(b"K\x01(0.", "1");
    check(b"K\x01K\x020.", "1");
    check(b"K\x012\x86.", "(1, 1)");
}

#[test]
fn objects_stay_records_of_a_name_arguments_and_a_state() {
    check(b"csklearn.pipeline\nPipeline\n)\x81}b.", "sklearn.pipeline.Pipeline(){}");
    check(b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02f8\x85R.", "numpy.dtype('f8')");
    check(b"ccollections\nOrderedDict\n)R(\x8c\x01aK\x01u.", "collections.OrderedDict()");
}

#[test]
fn all_names_off_the_list_are_reported_and_nothing_else_counts() {
    let bytes = b"cos\nsystem\n\x8c\x04true\x85Rcsubprocess\nPopen\n0cnumpy\ndtype\n0\xfe";
    let Err(Error::RefusedNames { names }) = parse(bytes, MAX_VALUES) else { panic!("not refused") };
    assert_eq!(names, ["os.system", "subprocess.Popen"]);
    check_error(bytes, "nothing in the file was run");
}

#[test]
fn a_name_made_of_pieces_is_checked_as_a_whole() {
    check_error(b"\x8c\x02os\x8c\x06system\x93.", "`os.system`");
    check_error(b"\x8c\x05numpy\x94\x8c\x06ctypes\x93.", "`numpy.ctypes`");
    check_error(b"K\x01K\x02\x93.", "a name is no text");
}

#[test]
fn refused_opcodes_are_named() {
    for refused in super::REFUSED_OPCODES {
        let bytes = [&[refused.code][..], b"collections\nOrderedDict\n."].concat();
        let error = parse(&bytes, MAX_VALUES).unwrap_err();
        assert!(matches!(error, Error::RefusedOpcode { name, .. } if name == refused.name), "{error}");
    }
}

#[test]
fn an_old_style_instance_is_refused_with_its_name() {
    check_error(b"(S'true'\nios\nsystem\n.", "`os.system`");
}

#[test]
fn damaged_pickles_say_what_is_wrong_and_where() {
    check_error(b"", "cut off");
    check_error(b"K", "cut off: it ends at byte 1");
    check_error(b"X\xff\xff\xff\x7fab", "cut off");
    check_error(b"\xfe.", "0xfe is no pickle opcode at byte 1");
    check_error(b"\x80\x06N.", "protocol 6, newer than 5");
    check_error(b"(.", "the stack is empty");
    check_error(b"t.", "no mark is set");
    check_error(b"h\x03.", "nothing is memoised as 3");
    check_error(b"N(K\x01K\x02u.", "no dictionary");
    check_error(b"}(K\x01u.", "a key has no value");
    check_error(b"NNa.", "no list");
    check_error(b"NNb.", "no object");
}

#[test]
fn a_second_state_is_refused() {
    check_error(b"csklearn.pipeline\nPipeline\n)\x81}b}b.", "a second state");
}

#[test]
fn the_number_of_values_is_bounded() {
    let bytes = [vec![b'N'; MAX_VALUES + 1], vec![b'.']].concat();
    assert!(matches!(parse(&bytes, MAX_VALUES), Err(Error::TooManyValues { .. })));
}

#[test]
fn the_depth_of_nesting_is_bounded() {
    let deep = |levels: usize| [vec![b'N'], vec![0x85; levels], vec![b'.']].concat();
    assert!(parse(&deep(256), MAX_VALUES).is_ok());
    assert!(matches!(parse(&deep(257), MAX_VALUES), Err(Error::TooDeep { limit: 256 })));
}

#[test]
fn a_list_may_hold_itself() {
    assert!(parse(b"]\x94h\x00a.", MAX_VALUES).is_ok());
}

/// A joblib array of two floats, up to the bytes that follow it.
fn wrapper(shape: &[u8], more: &[u8]) -> Vec<u8> {
    let class: &[u8] = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(";
    let dtype: &[u8] = b"\x8c\x05dtypecnumpy\ndtype\n\x8c\x02f8\x85R\x8c\x05order\x8c\x01C\x8c\x05shape";
    [class, dtype, shape, more, b"ub"].concat()
}

#[test]
fn the_bytes_of_a_joblib_array_are_stepped_over() {
    let old = [&wrapper(b"K\x02\x85", b"")[..], &[0; 16], b"."].concat();
    check(&old, "array[2]");
    let alignment = b"\x8c\x1bnumpy_array_alignment_bytesK\x10";
    let aligned = [&wrapper(b"K\x02\x85", alignment)[..], b"\x03\xff\xff\xff", &[0; 16], b"."].concat();
    check(&aligned, "array[2]");
}

#[test]
fn an_array_larger_than_the_rest_of_the_file_is_refused() {
    let bytes = [&wrapper(b"\x8a\x05\x00\x00\x00\x00\x7f\x85", b"")[..], &[0; 16], b"."].concat();
    assert!(matches!(parse(&bytes, MAX_VALUES), Err(Error::ArrayBeyondFile { .. })));
    let bytes = wrapper(b"J\xff\xff\xff\xff\x85", b"");
    check_error(&bytes, "an array's description is not understood");
}

//! Folders in the NIH layout, whole and odd.

use std::fs;

use super::*;

fn touch(path: PathBuf) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, b"").unwrap();
}

#[test]
fn films_are_found_in_any_folder_and_kaggle_lists_by_name() {
    let root = tempfile::tempdir().unwrap();
    touch(root.path().join("deep/er/images_001/images/a.png"));
    touch(root.path().join("b.PNG"));
    touch(root.path().join("Data_Entry_2017.csv"));
    touch(root.path().join("test_list_NIH.txt"));

    let layout = Layout::find(root.path(), None).unwrap();

    assert_eq!(layout.films.len(), 2);
    assert!(layout.test.is_some() && layout.train_val.is_none());
}

#[test]
fn a_film_in_two_folders_is_kept_once_and_named() {
    let root = tempfile::tempdir().unwrap();
    touch(root.path().join("Data_Entry_2017.csv"));
    touch(root.path().join("1/a.png"));
    touch(root.path().join("2/a.png"));

    let layout = Layout::find(root.path(), None).unwrap();

    assert_eq!(layout.again, [root.path().join("2/a.png")]);
}

#[test]
fn two_label_files_are_refused() {
    let root = tempfile::tempdir().unwrap();
    touch(root.path().join("Data_Entry_2017.csv"));
    touch(root.path().join("Data_Entry_2017_v2020.csv"));

    assert!(matches!(Layout::find(root.path(), None), Err(Error::Twice { .. })));
    assert!(matches!(Layout::find(Path::new("no-such-folder"), None), Err(Error::List { .. })));
}

#[cfg(unix)]
#[test]
fn a_film_whose_name_is_not_utf8_is_set_aside() {
    use std::os::unix::ffi::OsStrExt;
    let root = tempfile::tempdir().unwrap();
    touch(root.path().join("Data_Entry_2017.csv"));
    touch(root.path().join(std::ffi::OsStr::from_bytes(b"\xff.png")));

    assert_eq!(Layout::find(root.path(), None).unwrap().nameless.len(), 1);
}

#[test]
fn hidden_copies_are_not_looked_at_and_a_hidden_root_is() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join(".data");
    touch(data.join("Data_Entry_2017.csv"));
    touch(data.join(".ipynb_checkpoints/Data_Entry_2017-checkpoint.csv"));
    touch(data.join(".ipynb_checkpoints/test_list-checkpoint.txt"));
    touch(data.join("images/a.png"));
    touch(data.join("images/._a.png"));
    touch(data.join("images/.ipynb_checkpoints/b.png"));
    touch(data.join("__MACOSX/images/c.png"));
    touch(data.join(".Trash-1000/files/a.png"));

    let layout = Layout::find(&data, None).unwrap();

    assert_eq!(
        layout.films.into_iter().collect::<Vec<_>>(),
        [("a.png".to_owned(), data.join("images/a.png"))]
    );
    assert!(layout.again.is_empty() && layout.test.is_none());
    assert_eq!(walk(&data.join("images/._a.png")).unwrap().len(), 1);
}

#[test]
fn another_table_is_named_where_there_is_no_label_file() {
    let root = tempfile::tempdir().unwrap();
    touch(root.path().join("a_first.csv"));
    touch(root.path().join("sample_labels.csv"));
    touch(root.path().join("zz.csv"));

    let error = Layout::find(root.path(), None).unwrap_err().to_string();

    assert!(error.contains("sample_labels.csv"), "{error}");
    assert!(error.contains("--labels"), "{error}");
}

fn list(bytes: &[u8]) -> Result<HashSet<String>, Error> {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("test_list.txt");
    fs::write(&path, bytes).unwrap();
    read_list(&path)
}

#[test]
fn lists_of_other_hands_are_read_alike() {
    let expected = HashSet::from(["a b.png", "c.JPG", "d.jpeg"].map(str::to_owned));
    for text in [
        "a b.png\nc.JPG\nd.jpeg\n",
        "\u{feff}a b.png\nc.JPG\nd.jpeg",
        "a b.png  \r\nc.JPG\r\n\r\nd.jpeg\r\n",
        "a b.png\rc.JPG\rd.jpeg\r",
        "images/a b.png\nimages_002\\images\\c.JPG\n/d.jpeg\n",
        "\u{feff}\"a b.png\"\n\"c.JPG\"\n\"x/d.jpeg\"\n",
    ] {
        assert_eq!(list(text.as_bytes()).unwrap(), expected, "{text:?}");
    }
    assert_eq!(list(b"").unwrap(), HashSet::new());
}

#[test]
fn a_name_followed_by_more_is_refused_with_its_line() {
    for text in ["a.png\nb.png 0 1 0\n", "a.png\nb.png,Mass\n", "a.png\nImage Index\n"] {
        let error = list(text.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::ListLine { line: 2, .. }), "{error}");
    }
    let utf16: Vec<u8> =
        "\u{feff}a.png\n".encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect();
    assert!(matches!(list(&utf16), Err(Error::ReadList { .. })));
}

#[cfg(unix)]
#[test]
fn a_list_that_is_a_device_or_a_folder_is_refused_at_once() {
    let root = tempfile::tempdir().unwrap();

    assert!(matches!(read_list(Path::new("/dev/zero")), Err(Error::ReadList { .. })));
    assert!(matches!(read_list(root.path()), Err(Error::ReadList { .. })));
}

#[cfg(feature = "dicom")]
#[test]
fn a_dicom_file_is_a_film_whatever_its_name_and_a_dicomdir_is_none() {
    let root = tempfile::tempdir().unwrap();
    let dicom = [&[0; 128][..], b"DICM"].concat();
    touch(root.path().join("Data_Entry_2017.csv"));
    for name in ["a.DCM", "1.2.840.10008.5", "IM0001", "DICOMDIR"] {
        fs::write(root.path().join(name), &dicom).unwrap();
    }
    fs::write(root.path().join("notes"), b"no film").unwrap();
    fs::write(root.path().join("short"), &dicom[..131]).unwrap();

    let layout = Layout::find(root.path(), None).unwrap();

    let names: Vec<_> = layout.films.keys().map(String::as_str).collect();
    assert_eq!(names, ["1.2.840.10008.5", "IM0001", "a.DCM"]);
}

#[test]
fn files_are_counted_by_kind() {
    let files = ["notes.csv", "a.dcm", "b.dcm", "README"].map(PathBuf::from);

    assert_eq!(kinds(&files), "2 .dcm, 1 .csv, 1 without an extension");
    assert_eq!(kinds(&[]), "no files at all");
    let many: Vec<PathBuf> = (0..9).map(|n| PathBuf::from(format!("a.{n}"))).collect();
    assert!(kinds(&many).ends_with("1 .7 and others"), "{}", kinds(&many));
}

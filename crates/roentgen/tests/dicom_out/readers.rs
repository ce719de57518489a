//! What DCMTK, dicom3tools, pydicom, highdicom and Orthanc read in the objects.

use super::*;

fn run(program: &Path, args: &[&str], file: &Path) -> Output {
    Command::new(program).args(args).arg(file).output().unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Asks dciodvfy whether a file is what its SOP class says.
pub(crate) fn verify(dciodvfy: &Path, file: &Path) {
    let said = text(&run(dciodvfy, &[], file));
    let errors: Vec<&str> = said.lines().filter(|line| line.contains("Error")).collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
}

pub(crate) fn dcmtk_and_dicom3tools_find_no_error_in_any_object() -> Outcome {
    let dsrdump = peers::program("dsrdump")?;
    let dcmdump = peers::program("dcmdump")?;
    let dciodvfy = peers::program("dciodvfy")?;
    let place = place();
    train_average(&place);
    for model in ["run", "average"] {
        let out = format!("out-{model}");
        let document =
            place.json(&format!("predict {model} Doe.dcm --dicom-out {out} --out {model}.csv"));
        let objects: Vec<PathBuf> =
            objects(&document).iter().map(|path| place.at(path.to_str().unwrap())).collect();
        assert!(objects.len() >= 3, "{document}");
        for object in &objects {
            let dumped = run(&dcmdump, &[], object);
            assert!(dumped.status.success() && text(&dumped).contains("Doe^Jane"));
            verify(&dciodvfy, object);
        }
        let report = place.at(&format!("{out}/Doe.report.dcm"));
        let dumped = run(&dsrdump, &[], &report);
        let said = text(&dumped);
        assert!(dumped.status.success(), "{said}");
        // It does not check the letters of UTF-8.
        let warned = said.lines().filter(|line| line.starts_with("E: ") || line.starts_with("W: "));
        assert_eq!(warned.filter(|line| !line.contains("ISO_IR 192")).count(), 0, "{said}");
        assert_eq!(said.matches("\"Measurement Group\"").count(), 14, "{said}");
        for expected in
            ["Comprehensive SR", "Pneumothorax", "roentgen mobilenet", "not for diagnostic use"]
        {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
    Ok(())
}

/// Reads report, overlay and presentation state in Python and compares them with the document.
const READ: &str = r#"
import json, sys
import highdicom, numpy, pydicom
document = json.load(open(sys.argv[1]))
film = pydicom.dcmread(sys.argv[2])
files, = document["dicom"]
report = highdicom.sr.srread(files["report"])
assert type(report).__name__ == "ComprehensiveSR", report
groups = report.content.get_image_measurement_groups()
predicted = document["predictions"][0]["findings"]
assert len(groups) == len(predicted) == 14
assert report.PatientID == film.PatientID and report.AccessionNumber == film.AccessionNumber
assert report.StudyInstanceUID == film.StudyInstanceUID
assert report.VerificationFlag == "UNVERIFIED"
for group, (name, expected) in zip(groups, predicted.items(), strict=True):
    assert group.tracking_identifier == name, (group.tracking_identifier, name)
    assert group.finding_type is not None and len(group.finding_sites) == 1
    values = {item.name.value: item.value for item in group.get_measurements()}
    for key, code in [("probability", "probability"), ("calibrated", "calibrated"), ("threshold", "threshold")]:
        assert (key in expected) == (code in values), (name, key)
        if key in expected:
            assert abs(values[code] - expected[key]) <= 5e-7, (name, key)
    calls = {item.name.value: item.value.meaning for item in group.get_qualitative_evaluations()}
    if "call" in expected:
        assert calls["call"] == ("Positive" if expected["call"] else "Negative"), name
    else:
        assert not calls
    images = [item for item in group[0].ContentSequence if item.ValueType == "IMAGE"]
    assert images[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID
evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
assert evidence.SeriesInstanceUID == film.SeriesInstanceUID
for path in files["overlays"]:
    overlay = pydicom.dcmread(path)
    pixels = overlay.pixel_array
    assert pixels.shape == (film.Rows, film.Columns, 3), pixels.shape
    assert overlay.StudyInstanceUID == film.StudyInstanceUID
    assert overlay.SeriesInstanceUID not in (film.SeriesInstanceUID, report.SeriesInstanceUID)
    assert overlay.SourceImageSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID
    # Far from the text and where the map is low, the film shows through.
    plain = (pixels.max(-1) == pixels.min(-1)).mean()
    assert 0.01 < plain, plain
state = pydicom.dcmread(files["presentation"])
assert state.SoftcopyVOILUTSequence[0].WindowWidth == film.WindowWidth
lines = 0
for annotation in state.GraphicAnnotationSequence:
    for graphic in annotation.get("GraphicObjectSequence", []):
        points = numpy.array(graphic.GraphicData).reshape(-1, 2)
        assert len(points) == graphic.NumberOfGraphicPoints and (points[0] == points[-1]).all()
        assert points.min() >= 0 and points[:, 0].max() <= film.Columns and points[:, 1].max() <= film.Rows
        lines += 1
print(lines)
"#;

pub(crate) fn pydicom_and_highdicom_read_what_was_predicted() -> Outcome {
    peers::python("highdicom, pydicom, numpy")?;
    let place = place();
    train_average(&place);
    for model in ["run", "average"] {
        let document = place.json(&format!("predict {model} Doe.dcm --dicom-out out-{model}"));
        place.write("document.json", document.to_string());
        let output = Command::new("python3")
            .current_dir(place.at("."))
            .args(["-c", READ, "document.json", "Doe.dcm"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{model}: {}", stderr(&output));
    }
    Ok(())
}

/// Orthanc on loopback, with a storage folder of its own; it ends with the test.
struct Orthanc {
    process: Child,
    http: u16,
    dicom: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Orthanc {
    fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (http, dicom) = (port(), port());
        let storage = folder.path().join("storage");
        let settings = serde_json::json!({
            "Name": "test", "StorageDirectory": storage, "IndexDirectory": storage,
            "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "Plugins": [],
            "DicomCheckCalledAet": false, "DicomAlwaysAllowStore": true,
        });
        let file = folder.path().join("orthanc.json");
        fs::write(&file, settings.to_string()).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(program)
            .arg(&file)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let orthanc = Self { process, http, dicom, _folder: folder };
        let start = Instant::now();
        while orthanc.try_get("system").is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "Orthanc does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        orthanc
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.http)
    }

    fn try_get(&self, path: &str) -> Option<Value> {
        let mut answer = ureq::get(self.url(path)).call().ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    fn get(&self, path: &str) -> Value {
        self.try_get(path).unwrap_or_else(|| panic!("{path}"))
    }

    /// Sends a file over HTTP, and returns what became of it.
    fn post(&self, file: &Path) -> String {
        let bytes = fs::read(file).unwrap();
        let mut answer = ureq::post(self.url("instances")).send(&bytes[..]).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["Status"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn orthanc_stores_the_objects_in_the_films_study_and_each_once() -> Outcome {
    let program = peers::program("Orthanc")?;
    let storescu = peers::program("storescu")?;
    let place = place();
    let document = place.json("predict run Doe.dcm --dicom-out out");
    let mut files = vec![place.at("Doe.dcm")];
    files.extend(objects(&document).iter().map(|path| place.at(path.to_str().unwrap())));
    assert_eq!(files.len(), 4);
    let orthanc = Orthanc::start(&program);

    // One over HTTP, the others by C-STORE.
    assert_eq!(orthanc.post(&files[1]), "Success");
    let port = orthanc.dicom.to_string();
    let sent = Command::new(&storescu)
        .args(["-v", "-aec", "ORTHANC", "127.0.0.1", &port])
        .args(&files)
        .output()
        .unwrap();
    assert!(sent.status.success(), "{}", text(&sent));

    let studies = orthanc.get("studies?expand");
    assert_eq!(studies.as_array().unwrap().len(), 1, "{studies}");
    assert_eq!(studies[0]["PatientMainDicomTags"]["PatientID"], "PID-4711");
    assert_eq!(studies[0]["MainDicomTags"]["AccessionNumber"], "ACC-0815");
    let series = orthanc.get("series?expand");
    let mut modalities: Vec<&str> = series
        .as_array()
        .unwrap()
        .iter()
        .map(|series| series["MainDicomTags"]["Modality"].as_str().unwrap())
        .collect();
    modalities.sort_unstable();
    assert_eq!(modalities, ["CR", "OT", "PR", "SR"]);

    // The same film and model again: the archive already has all of it.
    place.ok("predict run Doe.dcm --dicom-out again");
    for file in &files[1..] {
        let again = place.at("again").join(file.file_name().unwrap());
        assert_eq!(orthanc.post(&again), "AlreadyStored", "{}", again.display());
    }
    assert_eq!(orthanc.get("instances").as_array().unwrap().len(), 4);
    // Orthanc shows the report as its own viewer reads it.
    let instances = orthanc.get("instances?expand");
    let report = instances.as_array().unwrap().iter().find(|instance| {
        let id = instance["ID"].as_str().unwrap();
        let tags = orthanc.get(&format!("instances/{id}/simplified-tags"));
        tags["Modality"] == "SR" && tags["ContentSequence"].as_array().unwrap().len() == 10
    });
    assert!(report.is_some(), "{instances}");
    Ok(())
}

pub(crate) fn real_films_give_objects_without_errors() -> Outcome {
    let dciodvfy = peers::program("dciodvfy")?;
    let folder = shared::data("dicom")?;
    let place = place();
    train_average(&place);
    let names = ["RG1_J2KI", "rsna_850819_jpegbaseline_mono2", "udacity_test1", "udacity_test2"];
    for name in names {
        let film = folder.join(format!("{name}.dcm"));
        let line = format!("predict average {} --dicom-out out", film.display());
        let document = place.json(&line);

        let objects: Vec<PathBuf> =
            objects(&document).iter().map(|path| place.at(path.to_str().unwrap())).collect();
        assert!(objects.len() >= 3, "{name}: {document}");
        for object in objects {
            verify(&dciodvfy, &object);
            for tag in [tags::PATIENT_ID, tags::STUDY_INSTANCE_UID, tags::PATIENT_NAME] {
                assert_eq!(element(&object, tag), element(&film, tag), "{name}");
            }
        }
    }
    Ok(())
}
